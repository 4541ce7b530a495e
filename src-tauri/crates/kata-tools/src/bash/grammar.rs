//! A command line taken apart with tree-sitter. Only grammar that is understood to the last character counts: simple commands
//! of literal words, joined by `&&`, `||`, `;`, `|` and line ends. Everything else is [`Line::Unknown`], and a person is asked.
//!
//! The tree alone is not trusted: every byte has to be a word of a known kind or plain space between two, and an unquoted word
//! may hold nothing that bash expands. Nor is the parser: its scanner for bash is C, and letters beyond ASCII end the program
//! (it asks `isalpha` about them). So it gets only lines that [`scan`] let through, with such letters as plain ones.

use crate::why::{Why, why};
use tree_sitter::{Node, Parser};

/// Longest line that is looked at, bytes.
const LONGEST: usize = 16 * 1024;
/// Deepest nesting of lists.
const DEEPEST: u32 = 64;

/// A simple command: literal words, as the program gets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// The words.
    pub words: Vec<String>,
    /// Whether it reads what another one writes.
    pub piped: bool,
}

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Understood: its commands, in order.
    Understood(Vec<Simple>),
    /// Not understood, and why.
    Unknown(String),
}

/// Takes a line apart.
pub fn parse(text: &str) -> Line {
    match understand(text) {
        Ok(commands) if commands.is_empty() => Line::Unknown("there is no command in it".into()),
        Ok(commands) => Line::Understood(commands),
        Err(why) => Line::Unknown(why.0),
    }
}

/// Characters of an unquoted word that bash takes as they are, in every place of a word.
pub(super) fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./,:=+@%".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
}

fn understand(text: &str) -> Result<Vec<Simple>, Why> {
    if text.len() > LONGEST {
        return Err(why(format!("it is longer than {LONGEST} bytes")));
    }
    if let Some(odd) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(why(format!("it holds the control character {}", odd.escape_unicode())));
    }
    scan(text)?;
    let letters: String = text
        .chars()
        .flat_map(|c| std::iter::repeat_n(if c.is_ascii() { c } else { 'u' }, c.len_utf8()))
        .collect();
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_bash::LANGUAGE.into())
        .map_err(|e| why(format!("the parser cannot be used: {e}")))?;
    let tree = parser.parse(&letters, None).ok_or("the parser gave up")?;
    let root = tree.root_node();
    if root.has_error() {
        return Err("it is no complete command".into());
    }
    let reader = Reader { text };
    let mut commands = Vec::new();
    reader.outside(root)?;
    reader.statements(root, &mut commands, false, 0)?;
    Ok(commands)
}

/// Lets only lines through that hold nothing but plain words, words in quotes, space, and what joins commands.
fn scan(text: &str) -> Result<(), Why> {
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some('"'), '\\' | '$' | '`') => return Err(why(format!("bash would do something with the “{c}” in the double quotes"))),
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ' | '\t' | '\n' | ';' | '&' | '|') => {}
            (None, _) if is_plain(c) => {}
            (None, _) => {
                return Err(match c {
                    '>' | '<' => "it holds a redirection".into(),
                    '`' => "it holds a substitution".into(),
                    '(' | ')' => "it holds a group of commands or a substitution".into(),
                    '#' => "it holds a comment".into(),
                    _ => why(format!("bash would do something with the unquoted “{c}”")),
                });
            }
        }
    }
    match quote {
        None => Ok(()),
        Some(open) => Err(why(format!("a quote ({open}) is not closed"))),
    }
}

struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn of(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Nothing but space stands before and behind what was parsed.
    fn outside(&self, root: Node<'_>) -> Result<(), Why> {
        let before = self.text.get(..root.start_byte()).unwrap_or("?");
        let behind = self.text.get(root.end_byte()..).unwrap_or("?");
        if (before.chars().chain(behind.chars())).all(|c| " \t\n".contains(c)) {
            Ok(())
        } else {
            Err("a part of it was not understood".into())
        }
    }

    /// The children of a node, when only `space` stands between them.
    fn children<'t>(&self, node: Node<'t>, space: &str) -> Result<Vec<Node<'t>>, Why> {
        let mut cursor = node.walk();
        let children: Vec<Node<'t>> = node.children(&mut cursor).collect();
        let mut at = node.start_byte();
        for child in &children {
            let gap = self.text.get(at..child.start_byte()).unwrap_or("?");
            if !gap.chars().all(|c| space.contains(c)) {
                return Err("a part of it was not understood".into());
            }
            at = child.end_byte();
        }
        let end = self.text.get(at..node.end_byte()).unwrap_or("?");
        if end.chars().all(|c| space.contains(c)) {
            Ok(children)
        } else {
            Err("a part of it was not understood".into())
        }
    }

    fn statements(&self, node: Node<'_>, commands: &mut Vec<Simple>, piped: bool, depth: u32) -> Result<(), Why> {
        if depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        match node.kind() {
            "program" | "list" => {
                for child in self.children(node, " \t\n")? {
                    match child.kind() {
                        "&&" | "||" | ";" | "\n" => {}
                        _ => self.statements(child, commands, piped, depth + 1)?,
                    }
                }
                Ok(())
            }
            "pipeline" => {
                let mut first = true;
                for child in self.children(node, " \t\n")? {
                    if child.kind() == "|" {
                        continue;
                    }
                    self.statements(child, commands, piped || !first, depth + 1)?;
                    first = false;
                }
                Ok(())
            }
            "command" => {
                let mut words = Vec::new();
                for child in self.children(node, " \t")? {
                    words.push(self.word(child, depth + 1)?);
                }
                commands.push(Simple { words, piped });
                Ok(())
            }
            other => Err(unknown(other).into()),
        }
    }

    /// One word, without its quotes.
    fn word(&self, node: Node<'_>, depth: u32) -> Result<String, Why> {
        if depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        let text = self.of(node);
        match node.kind() {
            "command_name" => match self.children(node, "")?.as_slice() {
                [only] => self.word(*only, depth + 1),
                _ => Err("the name of a command was not understood".into()),
            },
            "word" | "number" => match text.chars().find(|c| !is_plain(*c)) {
                None if !text.is_empty() => Ok(text.to_owned()),
                None => Err("a word of it is empty".into()),
                Some(c) => Err(why(format!("bash would do something with the unquoted “{c}” in “{text}”"))),
            },
            "string" => {
                let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
                let inner = inner.ok_or("a quoted word was not understood")?;
                match inner.chars().find(|c| "\\$`\"".contains(*c)) {
                    None => Ok(inner.to_owned()),
                    Some(c) => Err(why(format!("bash would do something with the “{c}” in {text}"))),
                }
            }
            "raw_string" => {
                let inner = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
                match inner {
                    Some(inner) if !inner.contains('\'') => Ok(inner.to_owned()),
                    _ => Err("a quoted word was not understood".into()),
                }
            }
            "concatenation" => {
                let mut whole = String::new();
                for child in self.children(node, "")? {
                    whole.push_str(&self.word(child, depth + 1)?);
                }
                Ok(whole)
            }
            other => Err(unknown(other).into()),
        }
    }
}

fn unknown(kind: &str) -> String {
    let what = match kind {
        "redirected_statement" | "file_redirect" => "a redirection",
        "herestring_redirect" | "heredoc_redirect" => "a here-document",
        "command_substitution" | "process_substitution" => "a substitution",
        "simple_expansion" | "expansion" | "arithmetic_expansion" => "an expansion with “$”",
        "brace_expression" => "braces",
        "variable_assignment" | "variable_assignments" => "an assignment before the command",
        "declaration_command" | "unset_command" => "a command that changes variables",
        "subshell" | "compound_statement" => "a group of commands",
        "function_definition" => "a function",
        "negated_command" => "a negation with “!”",
        "ansi_c_string" | "translated_string" => "a string with “$”",
        "comment" => "a comment",
        "&" => "a command in the background",
        "|&" => "“|&”",
        "test_command" => "a test in brackets",
        "if_statement" | "for_statement" | "c_style_for_statement" | "while_statement" | "case_statement" => "a loop or a condition",
        other => return format!("it holds “{other}”, which is not looked into"),
    };
    format!("it holds {what}")
}
