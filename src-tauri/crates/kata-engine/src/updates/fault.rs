//! Why an update does not come: one sentence for each reason, and what to do. Pure.

use kata_protocol::{ErrorCode, WireError};

/// Why a version could not be looked for, fetched or put in. The version that runs stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateFault {
    /// Nobody answers.
    #[error("The server for updates cannot be reached: {0}.")]
    Unreachable(String),
    /// It answers with something that is no list of versions.
    #[error("The server for updates answers with something that is no release: {0}.")]
    NoRelease(String),
    /// The release has nothing for this machine.
    #[error("The new version has no package for this machine ({0}).")]
    NoPackage(String),
    /// The address is not encrypted.
    #[error("The server for updates has to be reached by https.")]
    Insecure,
    /// The signature does not fit the package.
    #[error("The package was not signed by the makers of Kata Agents, or was changed on its way. It was thrown away.")]
    Tampered,
    /// An older package was offered as a newer one.
    #[error("The server offers version {announced}, but the package was signed as {signed}. It was thrown away.")]
    Inflated {
        /// What the signature says.
        signed: String,
        /// What the server says.
        announced: String,
    },
    /// The signature does not say a version.
    #[error("The package's signature does not say for which version it is. It was thrown away.")]
    Unversioned,
    /// The connection ended early.
    #[error("The download broke off: {0}.")]
    Cut(String),
    /// No room.
    #[error("There is no room for the new version: {0}.")]
    DiskFull(String),
    /// Nobody may install.
    #[error("Nobody allowed the installation: {0}.")]
    NoRights(String),
    /// The package manager refused.
    #[error("The system refused to install the package: {0}.")]
    Refused(String),
    /// The version before could not be kept, and without it there is no way back.
    #[error("The version that runs could not be kept for a way back: {0}.")]
    NoWayBack(String),
    /// The home could not be backed up.
    #[error("Settings and messages could not be backed up before the change: {0}.")]
    NoBackup(String),
    /// Something else.
    #[error("The update did not work: {0}.")]
    Other(String),
}

impl UpdateFault {
    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::Cut(_) => "Is this machine online? It is tried again by itself when updates are automatic.",
            Self::NoRelease(_) | Self::NoPackage(_) | Self::Insecure | Self::Unversioned => {
                "This is for the makers to mend; download the new version by hand if you need it now."
            }
            Self::Tampered | Self::Inflated { .. } => {
                "Do not install this package by hand. If it happens again in another network, please report it."
            }
            Self::DiskFull(_) | Self::NoBackup(_) => "Make room, then try again.",
            Self::NoRights(_) => "Try again and give the password, or install the package by hand.",
            Self::Refused(_) => "What the system said is in the log; install the package by hand to see more.",
            Self::NoWayBack(_) => "Make room, or install the new version by hand.",
            Self::Other(_) => "The log says more.",
        }
    }

    /// Sentence and hint, for a state that is shown.
    pub fn words(&self) -> String {
        format!("{self} {}", self.hint())
    }
}

impl From<UpdateFault> for WireError {
    fn from(fault: UpdateFault) -> Self {
        WireError::new(ErrorCode::Upstream, fault.to_string()).hint(fault.hint())
    }
}
