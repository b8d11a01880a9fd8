//! `Content-Disposition` with a file name of any script (RFC 6266, RFC 8187).

use std::fmt::Write as _;

use axum::http::HeaderValue;

/// The longest name, in bytes of UTF-8 beside its ending: file systems take 255.
const LONGEST: usize = 200;

/// `inline` or `attachment` with both forms of the name: plain for old clients, UTF-8 for the rest.
pub(super) fn disposition(name: &str, download: bool) -> Option<HeaderValue> {
    let kind = if download { "attachment" } else { "inline" };
    let name = safe(name);
    let plain: String =
        name.chars().map(|c| if c.is_ascii() && c != '"' && c != '\\' { c } else { '_' }).collect();
    HeaderValue::from_str(&format!(
        "{kind}; filename=\"{plain}\"; filename*=UTF-8''{}",
        encoded(&name)
    ))
    .ok()
}

/// No path, nothing that a file system minds, no hidden name, bounded.
fn safe(name: &str) -> String {
    let (stem, ending) = name.rsplit_once('-').unwrap_or((name, ""));
    let mut kept = String::new();
    for c in stem.trim().trim_start_matches('.').chars() {
        let c = if c.is_control() || "/\\:*?\"<>|%".contains(c) { '_' } else { c };
        if kept.len() + c.len_utf8() > LONGEST {
            break;
        }
        kept.push(c);
    }
    if kept.is_empty() {
        kept.push_str("video");
    }
    format!("{kept}-{ending}")
}

/// RFC 8187: every byte but attr-char is percent-encoded.
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
