//! Turns an author's TypeScript into JavaScript, and positions in the JavaScript back into the author's lines.
//!
//! Neighbours: `engine::loader` asks for every module. Deliberately absent: type checking, bundling, lowering to older
//! JavaScript (the engine is current).

use oxc::allocator::Allocator;
use oxc::codegen::{Codegen, CodegenOptions};
use oxc::diagnostics::OxcDiagnostic;
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::transformer::{TransformOptions, Transformer};
use std::path::{Path, PathBuf};

/// Largest module, bytes.
pub(crate) const MAX_SOURCE: usize = 512 << 10;
/// The parser recurses with the source's nesting, up to a frame or two per byte; below that an overflow would end the process.
pub(crate) const STACK_BASE: usize = 16 << 20;
pub(crate) const STACK_PER_BYTE: usize = 2 << 10;
/// Most brackets open at once. Far more than anybody writes, and far less than would make that stack real: a parser's frame
/// for each of half a million brackets is most of a gigabyte.
const MAX_OPEN: usize = 1_000;

/// Why a module has no JavaScript.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScriptError {
    #[error("{name}: {bytes} bytes are over the limit of {MAX_SOURCE} for one module")]
    TooLarge { name: String, bytes: usize },
    #[error("{name}:{line}:{column}: {message}")]
    Syntax {
        name: String,
        line: usize,
        column: usize,
        message: String,
    },
    #[error("{name}:{line}: more than {MAX_OPEN} brackets are open")]
    TooDeep { name: String, line: usize },
    #[error("{name}: the parser failed")]
    Parser { name: String },
}

/// Where a place in the JavaScript came from. Lines and columns from 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct PositionMap(Vec<[u32; 4]>);

impl PositionMap {
    /// The author's line and column for a place in the JavaScript.
    pub(crate) fn original(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        let after = self.0.partition_point(|t| (t[0], t[1]) <= (line, column));
        let token = self.0.get(after.checked_sub(1)?)?;
        // A place on a generated line of its own belongs to the nearest token before it on that line, or to that line's first.
        let token = if token[0] == line {
            token
        } else {
            self.0.get(after).filter(|t| t[0] == line).unwrap_or(token)
        };
        Some((token[2], token[3]))
    }
}

/// JavaScript and the way back.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) code: String,
    pub(crate) map: PositionMap,
}

/// Strips the types of one module. JavaScript passes through the same way, so that its errors read the same.
pub(crate) fn strip(name: &str, source: String) -> Result<Script, ScriptError> {
    if source.len() > MAX_SOURCE {
        return Err(ScriptError::TooLarge {
            name: name.to_owned(),
            bytes: source.len(),
        });
    }
    if let Some(line) = too_deep(&source) {
        return Err(ScriptError::TooDeep {
            name: name.to_owned(),
            line,
        });
    }
    let owned = name.to_owned();
    // A thread of its own, thrown away after: only there is a stack this deep affordable. Pages that are not touched cost nothing.
    let thread = std::thread::Builder::new()
        .name("kata-strip".into())
        .stack_size(STACK_BASE + source.len() * STACK_PER_BYTE)
        .spawn(move || strip_here(&owned, &source));
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(result)) => result,
        _ => Err(ScriptError::Parser { name: name.to_owned() }),
    }
}

/// The line where too many brackets are open. Those in texts and comments count as well: there they come in pairs too, or
/// are few.
pub(crate) fn too_deep(source: &str) -> Option<usize> {
    let (mut open, mut line) = (0_usize, 1);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b'\n' => line += 1,
            _ => {}
        }
        if open > MAX_OPEN {
            return Some(line);
        }
    }
    None
}

fn strip_here(name: &str, source: &str) -> Result<Script, ScriptError> {
    let allocator = Allocator::default();
    let path = Path::new(name);
    let kind = SourceType::from_path(path).unwrap_or_else(|_| SourceType::mjs()).with_module(true);
    let parsed = Parser::new(&allocator, source, kind).parse();
    let fail = |errors: &[OxcDiagnostic]| errors.first().map(|e| syntax(name, source, e));
    if let Some(error) = fail(&parsed.diagnostics.errors().cloned().collect::<Vec<_>>()) {
        return Err(error);
    }
    let mut program = parsed.program;
    let checked = SemanticBuilder::new()
        .with_check_syntax_error(true)
        .with_enum_eval(true)
        .build(&program);
    if let Some(error) = fail(&checked.diagnostics.errors().cloned().collect::<Vec<_>>()) {
        return Err(error);
    }
    let options = TransformOptions::default();
    let transformed = Transformer::new(&allocator, path, &options).build_with_scoping(checked.semantic.into_scoping(), &mut program);
    if let Some(error) = fail(&transformed.diagnostics.errors().cloned().collect::<Vec<_>>()) {
        return Err(error);
    }
    let options = CodegenOptions {
        source_map_path: Some(PathBuf::from(name)),
        ..CodegenOptions::default()
    };
    let printed = Codegen::new().with_options(options).build(&program);
    let map = printed.map.map(|map| {
        PositionMap(
            map.get_tokens()
                .map(|t| [t.get_dst_line() + 1, t.get_dst_col() + 1, t.get_src_line() + 1, t.get_src_col() + 1])
                .collect(),
        )
    });
    Ok(Script {
        code: printed.code,
        map: map.unwrap_or_default(),
    })
}

fn syntax(name: &str, source: &str, error: &OxcDiagnostic) -> ScriptError {
    let offset = error.labels.first().map_or(0, |label| label.offset() as usize);
    let (line, column) = position(source, offset);
    ScriptError::Syntax {
        name: name.to_owned(),
        line,
        column,
        message: error.message.to_string(),
    }
}

/// Line and column of a byte offset, both from 1.
pub(crate) fn position(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or("");
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    (before.matches('\n').count() + 1, column)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn types_enums_namespaces_and_parameter_properties_become_javascript() {
        let source = "import type { A } from './a';\nenum Color { Red = 1 }\nnamespace N { export const x = 2 }\n\
                      class P { constructor(private y: number) {} }\nexport default (z: A): number => Color.Red + N.x;";
        let script = strip("index.ts", source.into()).unwrap();
        assert!(!script.code.contains("import"), "{}", script.code);
        assert!(
            !script.code.contains("enum ") && script.code.contains("this.y = y"),
            "{}",
            script.code
        );
    }

    #[test]
    fn a_syntax_error_names_file_line_and_column() {
        let error = strip("lib/a.ts", "const a = 1;\nconst b = = 2;".into()).unwrap_err();
        assert!(matches!(error, ScriptError::Syntax { line: 2, column: 11, .. }), "{error}");
    }

    #[test]
    fn a_place_in_the_javascript_leads_back_to_the_authors_line() {
        let script = strip(
            "index.ts",
            "interface A {\n  a: string;\n}\n\nexport function f(): A {\n  throw new Error('x');\n}\n".into(),
        )
        .unwrap();
        let line = script.code.lines().position(|l| l.contains("throw")).unwrap() as u32 + 1;
        assert_eq!(script.map.original(line, 8).map(|p| p.0), Some(6));
        assert_ne!(line, 6, "the test needs a shift to see one undone");
    }

    #[test]
    fn source_nested_as_deep_as_it_can_be_ends_in_an_error_and_not_in_an_overflow() {
        let deep = 60_000;
        for source in [
            format!("export default {}1{}", "(".repeat(deep), ")".repeat(deep)),
            format!("\ntype A = {}1{}", "[".repeat(deep), "]".repeat(deep)),
        ] {
            let error = strip("index.ts", source).unwrap_err();
            assert!(matches!(error, ScriptError::TooDeep { .. }), "{error}");
        }
        let _ = strip("index.ts", format!("export default {}1", "!".repeat(deep)));
        let _ = strip("index.ts", format!("export default a{}", ".a".repeat(deep)));
        strip("index.ts", format!("export default {}1{}", "[".repeat(900), "]".repeat(900))).unwrap();
        assert!(matches!(
            strip("index.ts", " ".repeat(MAX_SOURCE + 1)),
            Err(ScriptError::TooLarge { .. })
        ));
    }
}
