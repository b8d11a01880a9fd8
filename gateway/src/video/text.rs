//! Texts that people give us: cleaned of what would garble a page or a log, and bounded.

use crate::problem::Problem;

const FILENAME: usize = 255;
const TITLE: usize = 200;
const DESCRIPTION: usize = 5000;

/// A file's name without folders.
pub(crate) fn filename(given: &str) -> Result<String, Problem> {
    let base = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = one_line(base);
    if name.is_empty() {
        return Err(Problem::field("filename", "is empty"));
    }
    bounded("filename", name, FILENAME)
}

/// A title; may be empty.
pub(crate) fn title(given: &str) -> Result<String, Problem> {
    bounded("title", one_line(given), TITLE)
}

/// A description of several lines; may be empty.
pub(crate) fn description(given: &str) -> Result<String, Problem> {
    let kept: String = given
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !is_unseen(*c))
        .collect();
    bounded("description", kept.trim().to_owned(), DESCRIPTION)
}

/// A file's name without its ending, as a title.
pub(crate) fn title_of(filename: &str) -> String {
    let stem = match filename.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        Some(_) | None => filename,
    };
    stem.chars().take(TITLE).collect::<String>().trim().to_owned()
}

fn one_line(given: &str) -> String {
    given.chars().filter(|c| !is_unseen(*c)).collect::<String>().trim().to_owned()
}

/// Control characters, those that turn the direction of text around (UAX 9), and those that show
/// nothing (zero widths, separators, tags); the joiner U+200D stays, since emoji are made with it.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn bounded(name: &'static str, text: String, most: usize) -> Result<String, Problem> {
    let chars = text.chars().count();
    if chars > most {
        return Err(Problem::field(name, format_args!("has {chars} characters, more than {most}")));
    }
    Ok(text)
}
