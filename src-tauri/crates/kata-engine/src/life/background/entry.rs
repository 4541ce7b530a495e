//! An entry in `~/.config/autostart` (Desktop Application Autostart Specification, Desktop Entry Specification).

use super::{Launch, seal};

/// File name of the entry.
pub(crate) fn file_name(launch: &Launch) -> String {
    format!("{}.desktop", launch.name)
}

/// The entry's text.
pub(crate) fn text(launch: &Launch) -> String {
    let mut words: Vec<String> = Vec::new();
    if !launch.environment.is_empty() {
        words.push("env".into());
        words.extend(launch.environment.iter().map(|(key, value)| quoted(&format!("{key}={value}"))));
    }
    words.push(quoted(&launch.program()));
    words.extend(launch.starts.arguments().iter().map(|&word| word.to_owned()));
    let rest = format!(
        "[Desktop Entry]\n\
         Type=Application\n\
         Name=Kata Agents\n\
         Comment=Agents that answer in the background\n\
         Exec={}\n\
         Icon=kata-agents\n\
         Terminal=false\n\
         StartupNotify=false\n\
         X-GNOME-Autostart-enabled=true\n",
        words.join(" ")
    );
    seal::line("# ", &rest, "") + &rest
}

/// One argument of `Exec`: in quotes, in which `"`, `` ` ``, `$` and `\` take a backslash; `%` doubled, since it begins a field
/// code; and then, as in every value of type string, each backslash doubled.
fn quoted(word: &str) -> String {
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '`' | '$' => text.extend(['\\', '\\', c]),
            '\\' => text.push_str("\\\\\\\\"),
            '%' => text.push_str("%%"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
