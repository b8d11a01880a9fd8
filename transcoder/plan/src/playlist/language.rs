//! Language tags: containers tell ISO 639-2, playlists want BCP 47, which takes the two-letter code where
//! there is one.

/// Common languages, both ISO 639-2 codes where they differ.
const SHORT: [(&str, &str); 44] = [
    ("ara", "ar"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("chi", "zh"),
    ("cze", "cs"),
    ("dan", "da"),
    ("deu", "de"),
    ("dut", "nl"),
    ("ell", "el"),
    ("eng", "en"),
    ("est", "et"),
    ("fas", "fa"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("ger", "de"),
    ("gre", "el"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("ind", "id"),
    ("ita", "it"),
    ("jpn", "ja"),
    ("kor", "ko"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("nld", "nl"),
    ("nor", "no"),
    ("per", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rum", "ro"),
    ("rus", "ru"),
    ("spa", "es"),
    ("swe", "sv"),
    ("tha", "th"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("vie", "vi"),
    ("zho", "zh"),
];

/// A tag for LANGUAGE, which must be there: `und` for unknown ones and for whatever is no tag.
pub(super) fn tag(told: Option<&str>) -> String {
    let told = told.unwrap_or("und").to_ascii_lowercase();
    let sound = (2..=12).contains(&told.len())
        && told.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !sound {
        return "und".to_owned();
    }
    let short = SHORT.iter().find(|(long, _)| *long == told).map(|(_, short)| *short);
    short.map_or(told, str::to_owned)
}
