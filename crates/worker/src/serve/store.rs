//! What was asked for, in SQLite, so that it outlives the server.
//!
//! The database knows what somebody asked for, its name, its plan and how far it is; numbers are in
//! files. SQLite writes a changed state whole or not at all, and is better tested than files of
//! ours would be. A damaged database can be moved away: finished analyses are found by their
//! `results.json` (`adoption.rs`).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use ckptscope_protocol::service::{AnalysisInfo, RunFile};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::console;

/// How the tables came to be, one step after the other. `user_version` says how many were taken;
/// what stands here is never changed, only added to.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE analyses (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        folder TEXT NOT NULL,
        source TEXT NOT NULL,
        source_name TEXT NOT NULL,
        config TEXT NOT NULL,
        phase TEXT NOT NULL,
        message TEXT,
        cost TEXT,
        planned TEXT,
        units INTEGER NOT NULL,
        of_units INTEGER NOT NULL,
        asked INTEGER NOT NULL,
        began INTEGER,
        ended INTEGER
    );
    CREATE TABLE uploads (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        asked INTEGER NOT NULL,
        files TEXT NOT NULL
    );
"];

/// How long a write waits for somebody else who has the file open.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database.
pub(super) struct Store {
    connection: Mutex<Connection>,
    path: PathBuf,
}

/// An analysis as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// What everybody is told.
    pub(super) info: AnalysisInfo,
    /// The name of its folder of results, below one that has its id.
    pub(super) folder: String,
    /// Whether there is a plan.
    pub(super) is_planned: bool,
}

/// An upload as it is kept.
#[derive(Clone, Debug)]
pub(super) struct KeptUpload {
    /// Its own.
    pub(super) id: String,
    /// The run's name.
    pub(super) name: String,
    /// When it was asked for: milliseconds since 1970.
    pub(super) asked: u64,
    /// Its files, with the lengths that were announced.
    pub(super) files: Vec<RunFile>,
}

impl Store {
    /// Opens the database, or makes one; brings an older one up to date.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let opened = Self::open_unexplained(path);
        opened.map_err(|error| explained(error, path))
    }

    fn open_unexplained(path: &Path) -> Result<Self> {
        let mut connection = connect(path)?;
        connection.pragma_update(None, "synchronous", "full")?;
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(Damaged(found).into());
        }
        migrate(&mut connection)?;
        let store = Self {
            connection: Mutex::new(connection),
            path: path.to_owned(),
        };
        store.analyses()?;
        store.uploads()?;
        Ok(store)
    }

    /// All analyses in the order in which they were asked for.
    pub(super) fn analyses(&self) -> Result<Vec<Kept>> {
        let connection = self.connection();
        let mut statement = connection.prepare(
            "SELECT id, name, folder, source, source_name, phase, message, cost, \
             planned IS NOT NULL, units, of_units, asked, began, ended FROM analyses ORDER BY number",
        )?;
        let kept = statement.query_map([], kept)?.collect::<Result<_, _>>();
        self.explain(kept)
    }

    /// Adds an analysis.
    pub(super) fn add(&self, kept: &Kept, config: &str, plan: Option<&str>) -> Result<()> {
        let Kept { info, folder, .. } = kept;
        let added = self.connection().execute(
            "INSERT INTO analyses (id, name, folder, source, source_name, config, phase, message, \
             cost, units, of_units, asked, began, ended, planned) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                info.id,
                info.name,
                folder,
                as_json(&info.source)?,
                info.source_name,
                config,
                as_json(&info.phase)?,
                info.message,
                optional_json(info.cost.as_ref())?,
                info.units.cast_signed(),
                info.of_units.cast_signed(),
                info.asked.cast_signed(),
                info.began.map(u64::cast_signed),
                info.ended.map(u64::cast_signed),
                plan,
            ],
        );
        self.explain(added).map(drop)
    }

    /// Writes down how far an analysis is.
    pub(super) fn update(&self, info: &AnalysisInfo) -> Result<()> {
        let updated = self.connection().execute(
            "UPDATE analyses SET name = ?2, phase = ?3, message = ?4, cost = ?5, units = ?6, \
             of_units = ?7, began = ?8, ended = ?9, source_name = ?10 WHERE id = ?1",
            params![
                info.id,
                info.name,
                as_json(&info.phase)?,
                info.message,
                optional_json(info.cost.as_ref())?,
                info.units.cast_signed(),
                info.of_units.cast_signed(),
                info.began.map(u64::cast_signed),
                info.ended.map(u64::cast_signed),
                info.source_name,
            ],
        );
        self.explain(updated).map(drop)
    }

    /// The config of an analysis.
    pub(super) fn config(&self, id: &str) -> Result<Option<String>> {
        self.text(id, "SELECT config FROM analyses WHERE id = ?1")
    }

    /// The plan of an analysis, as JSON.
    pub(super) fn plan(&self, id: &str) -> Result<Option<String>> {
        self.text(id, "SELECT planned FROM analyses WHERE id = ?1")
    }

    fn text(&self, id: &str, query: &str) -> Result<Option<String>> {
        let connection = self.connection();
        let found = connection.query_row(query, [id], |row| row.get(0));
        Ok(self.explain(found.optional())?.flatten())
    }

    /// Writes down the plan of an analysis, as JSON.
    pub(super) fn set_plan(&self, id: &str, plan: &str) -> Result<()> {
        let set = self
            .connection()
            .execute("UPDATE analyses SET planned = ?2 WHERE id = ?1", [id, plan]);
        self.explain(set).map(drop)
    }

    /// Forgets an analysis.
    pub(super) fn remove(&self, id: &str) -> Result<()> {
        let removed = self
            .connection()
            .execute("DELETE FROM analyses WHERE id = ?1", [id]);
        self.explain(removed).map(drop)
    }

    /// All uploads.
    pub(super) fn uploads(&self) -> Result<Vec<KeptUpload>> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT id, name, asked, files FROM uploads")?;
        let kept = statement.query_map([], |row| {
            Ok(KeptUpload {
                id: row.get(0)?,
                name: row.get(1)?,
                asked: row.get::<_, i64>(2)?.cast_unsigned(),
                files: from_json(row, 3)?,
            })
        });
        self.explain(kept.and_then(Iterator::collect))
    }

    /// Adds an upload.
    pub(super) fn add_upload(&self, upload: &KeptUpload) -> Result<()> {
        let added = self.connection().execute(
            "INSERT INTO uploads (id, name, asked, files) VALUES (?1, ?2, ?3, ?4)",
            params![
                upload.id,
                upload.name,
                upload.asked.cast_signed(),
                as_json(&upload.files)?
            ],
        );
        self.explain(added).map(drop)
    }

    /// Forgets an upload.
    pub(super) fn remove_upload(&self, id: &str) -> Result<()> {
        let removed = self
            .connection()
            .execute("DELETE FROM uploads WHERE id = ?1", [id]);
        self.explain(removed).map(drop)
    }

    /// Whether somebody reads or writes at this moment.
    #[cfg(test)]
    pub(super) fn is_busy(&self) -> bool {
        self.connection.try_lock().is_err()
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // Every statement is whole in itself, so a thread that died leaves nothing half done.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn explain<T>(&self, result: rusqlite::Result<T>) -> Result<T> {
        result.map_err(|error| explained(error.into(), &self.path))
    }
}

/// A connection with a write-ahead log; where the file system has no shared memory for that, as
/// NFS, Lustre and GPFS have none, one with a rollback journal, and a word about it.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = opened(path)?;
    match set_journal(&connection, "wal") {
        Ok(true) => return Ok(connection),
        Err(error) if !lacks_shared_memory(&error) => return Err(error),
        Ok(false) | Err(_) => drop(connection),
    }
    let connection = opened(path)?;
    // A log that another file system left is read without shared memory by who is alone.
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    set_journal(&connection, "delete")?;
    connection.pragma_update(None, "locking_mode", "normal")?;
    console::say(&format!(
        "{}: this file system has no shared memory, so the database keeps a rollback journal \
         instead of a write-ahead log; all works, changes are written a little slower",
        path.display()
    ));
    Ok(connection)
}

fn opened(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Asks for a kind of journal, and says whether it is used: a transaction that writes nothing shows
/// whether it can be. Somebody else's transaction shows it as well.
fn set_journal(connection: &Connection, wanted: &str) -> rusqlite::Result<bool> {
    let mode = |row: &Row<'_>| row.get::<_, String>(0);
    let found = connection.pragma_update_and_check(None, "journal_mode", wanted, mode)?;
    match connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK") {
        Err(error) if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => {
            return Err(error);
        }
        Ok(()) | Err(_) => {}
    }
    Ok(found.eq_ignore_ascii_case(wanted))
}

/// How SQLite fails where a write-ahead log's index cannot be shared.
fn lacks_shared_memory(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::ReadOnly
        )
    )
}

fn migrate(connection: &mut Connection) -> Result<()> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let taken = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(steps) = MIGRATIONS.get(taken..) else {
        return Err(anyhow!(
            "it was written by a newer version of this program; start that one, or choose another \
             folder with --data-dir"
        ));
    };
    for (step, number) in steps.iter().zip(version + 1..) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// A database that SQLite reads and finds wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Damaged(String);

/// What to do about a database that cannot be read or written.
fn explained(error: anyhow::Error, path: &Path) -> anyhow::Error {
    let code = error
        .downcast_ref()
        .and_then(rusqlite::Error::sqlite_error_code);
    let shown = path.display();
    let is_damaged = error.is::<Damaged>()
        || matches!(
            code,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        );
    if is_damaged {
        let results = path.with_file_name("analyses");
        let results = results.display();
        return anyhow!(
            "the list of analyses cannot be read, the file is damaged: {shown} ({error:#})\n\
             all results are in {results}, and no file of them is touched\n\
             move {shown} away (with -wal and -shm beside it) and start again: \
             finished analyses are found by their results"
        );
    }
    error.context(match code {
        Some(ErrorCode::DiskFull) => format!("the disk is full, {shown} cannot be written"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("another program has {shown} open for long; end it, and try again")
        }
        _ => format!("cannot use {shown}"),
    })
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let optional = |column| {
        let found: rusqlite::Result<Option<i64>> = row.get(column);
        found.map(|number| number.map(i64::cast_unsigned))
    };
    Ok(Kept {
        info: AnalysisInfo {
            id: row.get(0)?,
            name: row.get(1)?,
            source: from_json(row, 3)?,
            source_name: row.get(4)?,
            phase: from_json(row, 5)?,
            message: row.get(6)?,
            ahead: 0,
            cost: match row.get::<_, Option<String>>(7)? {
                Some(_) => Some(from_json(row, 7)?),
                None => None,
            },
            units: count(9)?,
            of_units: count(10)?,
            asked: count(11)?,
            began: optional(12)?,
            ended: optional(13)?,
        },
        folder: row.get(2)?,
        is_planned: row.get(8)?,
    })
}

fn as_json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}

fn optional_json(value: Option<&impl Serialize>) -> Result<Option<String>> {
    value.map(as_json).transpose()
}

fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
    })
}
