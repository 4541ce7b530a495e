//! What an author's module uses without having made or imported it. Reads the source; runs none of it.
//!
//! Deliberately absent: a list of what a plugin has. The sandbox itself is asked for its names, so that nothing can differ.

use crate::script::{MAX_SOURCE, STACK_BASE, STACK_PER_BYTE, position, too_deep};
use kata_protocol::SourcePosition;
use oxc::allocator::Allocator;
use oxc::ast::AstKind;
use oxc::ast::ast::Statement;
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::{GetSpan, SourceType};
use std::path::Path;

/// A name that the module takes from its surroundings, or a module that it imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeName {
    /// The name, or the specifier of an import.
    pub name: String,
    /// Whether it is the specifier of an import.
    pub import: bool,
    /// Where it stands first.
    pub at: SourcePosition,
}

/// Why a module could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// In words.
    pub message: String,
    /// Where, when it is a syntax error.
    pub at: Option<SourcePosition>,
}

/// The free names of a module, in order of place, each once, and the specifiers of its imports. A name that is only asked
/// for with `typeof` is not among them: that is how a module looks whether it is there.
///
/// # Errors
/// [`Unreadable`], with the place of a syntax error.
pub fn free_names(file: &str, source: &str) -> Result<Vec<FreeName>, Unreadable> {
    let unreadable = |message: String| Unreadable { message, at: None };
    if source.len() > MAX_SOURCE {
        return Err(unreadable(format!(
            "{} bytes are over the limit of {MAX_SOURCE} for one module",
            source.len()
        )));
    }
    if let Some(line) = too_deep(source) {
        return Err(unreadable(format!("too many brackets are open in line {line}")));
    }
    let (file, source) = (file.to_owned(), source.to_owned());
    // The parser recurses with the source's nesting; see `script`.
    let thread = std::thread::Builder::new()
        .name("kata-review".into())
        .stack_size(STACK_BASE + source.len() * STACK_PER_BYTE)
        .spawn(move || read(&file, &source));
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(names)) => names,
        _ => Err(unreadable("the parser failed".into())),
    }
}

fn read(file: &str, source: &str) -> Result<Vec<FreeName>, Unreadable> {
    let at = |offset: u32| {
        let (line, column) = position(source, offset as usize);
        SourcePosition {
            file: file.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    };
    let allocator = Allocator::default();
    let kind = SourceType::from_path(Path::new(file))
        .unwrap_or_else(|_| SourceType::mjs())
        .with_module(true);
    let parsed = Parser::new(&allocator, source, kind).parse();
    if let Some(error) = parsed.diagnostics.errors().next() {
        return Err(Unreadable {
            message: error.message.to_string(),
            at: Some(at(error.labels.first().map_or(0, |label| label.offset()))),
        });
    }
    let semantic = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program).semantic;
    let mut found = Vec::new();
    for references in semantic.scoping().root_unresolved_references_ids() {
        let first = references
            .map(|id| semantic.scoping().get_reference(id))
            .filter(|reference| reference.is_value())
            .filter(|reference| !asks_only(semantic.nodes().parent_kind(reference.node_id())))
            .map(|reference| (semantic.reference_span(reference).start, semantic.reference_name(reference)))
            .min();
        if let Some((offset, name)) = first {
            found.push((offset, name.to_owned(), false));
        }
    }
    for statement in &parsed.program.body {
        let imported = match statement {
            Statement::ImportDeclaration(import) if !import.import_kind.is_type() => Some(&import.source),
            Statement::ExportAllDeclaration(export) => Some(&export.source),
            Statement::ExportFromDeclaration(export) => Some(&export.source),
            _ => None,
        };
        if let Some(specifier) = imported {
            found.push((specifier.span().start, specifier.value.to_string(), true));
        }
    }
    found.sort();
    Ok(found
        .into_iter()
        .map(|(offset, name, import)| FreeName {
            name,
            import,
            at: at(offset),
        })
        .collect())
}

fn asks_only(parent: AstKind<'_>) -> bool {
    matches!(parent, AstKind::UnaryExpression(unary) if unary.operator.is_typeof())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<(String, u32, u32)> {
        let names = free_names("index.ts", source).unwrap();
        names.into_iter().map(|n| (n.name, n.at.line, n.at.column)).collect()
    }

    #[test]
    fn a_name_of_node_is_found_where_it_stands_and_a_name_of_the_modules_own_is_not() {
        let source = "import fs from \"node:fs\";\nconst own = 1;\nfunction process2(process: number) { return process + own; }\n\
                      export default () => process.env.HOME + Buffer.from('x') + process2(fs);\n";
        assert_eq!(
            found(source),
            [("node:fs".into(), 1, 16), ("process".into(), 4, 22), ("Buffer".into(), 4, 41)]
        );
    }

    #[test]
    fn types_are_no_uses_and_asking_whether_a_name_is_there_is_none_either() {
        let source = "import type { A } from \"b\";\nlet x: NodeJS.Timeout | undefined;\n\
                      export default (r: Response): A => typeof process === 'undefined' ? x : r;";
        assert_eq!(found(source), []);
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let error = free_names("lib/a.ts", "const a = 1;\nconst b = = 2;").unwrap_err();
        let at = error.at.unwrap();
        assert_eq!((at.file.as_str(), at.line, at.column), ("lib/a.ts", 2, 11));
    }
}
