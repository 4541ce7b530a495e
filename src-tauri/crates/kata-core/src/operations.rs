//! The table of operations as a trait, and the dispatch by name that the gateway uses.
//!
//! The engine implements [`Operations`]; the desktop calls its methods, the gateway [`dispatch`]. Scope is checked here and
//! nowhere else.

use async_trait::async_trait;
use kata_protocol::*;
use serde_json::value::RawValue;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For the log and the trace: `desktop`, `cli`, the name a gateway client gave.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
}

impl Caller {
    /// Refuses a caller that lacks the scope.
    pub fn require(&self, needed: Scope, op: &str) -> Result<(), WireError> {
        if self.scope >= needed {
            return Ok(());
        }
        Err(WireError::new(
            ErrorCode::Forbidden,
            format!("“{op}” needs scope {needed:?}, this token has {:?}", self.scope).to_lowercase(),
        )
        .hint("connect with a token that has the scope"))
    }
}

macro_rules! operations_trait {
    ($($(#[$doc:meta])* $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        /// Every operation. Callers' scopes have been checked when a method is called.
        #[async_trait]
        pub trait Operations: Send + Sync + 'static {
            $($(#[$doc])* async fn $method(&self, caller: &Caller, params: $params) -> Result<$result, WireError>;)*
        }

        /// Checks the scope, parses the parameters (an error names the field), calls, and writes the result.
        pub async fn dispatch(
            operations: &dyn Operations,
            caller: &Caller,
            op: &str,
            params: &RawValue,
        ) -> Result<Box<RawValue>, WireError> {
            match op {
                $($name => {
                    caller.require(Scope::$scope, op)?;
                    let params: $params = parse(op, params)?;
                    let result = operations.$method(caller, params).await?;
                    serde_json::value::to_raw_value(&result).map_err(|e| WireError::internal(format!("“{op}” gave a result that is not JSON: {e}")))
                })*
                _ => Err(WireError::not_found("operation", op).hint("the welcome frame lists the operations")),
            }
        }
    };
}
kata_protocol::with_operations!(operations_trait);

fn parse<T: serde::de::DeserializeOwned>(op: &str, params: &RawValue) -> Result<T, WireError> {
    let text = if params.get() == "null" { "{}" } else { params.get() };
    serde_json::from_str(text).map_err(|e| WireError::invalid(format!("parameters of “{op}”: {e}")))
}
