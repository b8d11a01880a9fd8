//! Every statement there is. A [`Tx`](super::Tx) runs nothing else, and only [`sql!`](super::sql) makes
//! one: it puts it on the list by the act, so that the list can be printed, and held against what each
//! database takes.

use linkme::distributed_slice;

use super::MIGRATIONS;

#[doc(hidden)]
#[distributed_slice]
pub static STATEMENTS: [Statement];

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Brings the schema up to a version; what remembers that, too.
    Migration,
    /// Sets up a connection; what resets it, too.
    Session,
    /// Begins or ends a transaction.
    Transaction,
    /// Is what a transaction does.
    Statement,
}

/// A statement of the product, by its name.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    text: &'static str,
    purpose: Purpose,
}

impl Statement {
    /// For [`sql!`](super::sql) alone; the text begins with a line `-- table.what`.
    #[doc(hidden)]
    pub(crate) const fn listed(text: &'static str, purpose: Purpose) -> Self {
        let bytes = text.as_bytes();
        assert!(
            bytes.len() > 3 && bytes[0] == b'-' && bytes[1] == b'-' && bytes[2] == b' ',
            "a statement begins with a line that names it"
        );
        Self { text, purpose }
    }

    /// The name on its first line, `table.what`.
    pub fn name(&self) -> &'static str {
        self.text.lines().next().and_then(|line| line.strip_prefix("-- ")).unwrap_or_default()
    }

    /// As it is sent, its name in a comment.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// What it is for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }
}

/// One of all that is ever sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Listed {
    /// What it is for.
    #[serde(rename = "kind")]
    pub purpose: Purpose,
    /// Its name: of a migration folder and file, else `table.what`.
    pub name: &'static str,
    /// Without the line that names it, and without a semicolon.
    pub sql: &'static str,
}

/// Everything that this version sends to the database: migrations in their order, then the rest by
/// purpose and name.
pub fn listed() -> Vec<Listed> {
    let mut all: Vec<Listed> = MIGRATIONS
        .iter()
        .map(|one| Listed { purpose: Purpose::Migration, name: one.name, sql: one.sql.trim_end() })
        .collect();
    let statements = all.len();
    all.extend(STATEMENTS.iter().map(|one| Listed {
        purpose: one.purpose,
        name: one.name(),
        sql: one.text.split_once('\n').map_or("", |(_, sql)| sql).trim(),
    }));
    all[statements..].sort();
    all
}

/// What a transaction can be asked to run.
pub trait Sql: Send + Sync {
    /// The text as it is sent.
    fn text(&self) -> &str;
}

impl Sql for Statement {
    fn text(&self) -> &str {
        self.text
    }
}

impl<S: Sql + ?Sized> Sql for &S {
    fn text(&self) -> &str {
        S::text(self)
    }
}

/// A statement that is on no list: of tests, of the simulator, and of planted faults. A product that is
/// built by itself has no such thing.
#[cfg(any(feature = "unlisted", feature = "planted"))]
impl Sql for str {
    fn text(&self) -> &str {
        self
    }
}

/// The same.
#[cfg(feature = "planted")]
impl Sql for std::borrow::Cow<'_, str> {
    fn text(&self) -> &str {
        self
    }
}

/// Makes a [`Statement`] of a text whose first line names it, and lists it.
macro_rules! sql {
    ($text:expr) => {
        $crate::db::sql!(Statement, $text)
    };
    ($purpose:ident, $text:expr) => {{
        #[linkme::distributed_slice($crate::db::STATEMENTS)]
        static LISTED: $crate::db::Statement =
            $crate::db::Statement::listed($text, $crate::db::Purpose::$purpose);
        &LISTED
    }};
}
pub(crate) use sql;
