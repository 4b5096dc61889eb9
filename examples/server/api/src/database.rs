//! The server's database: a pool of connections, whose work is done on the runtime's threads for what blocks.

use crate::rusqlite::{self, Connection};
use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use std::error::Error;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// How many connections to a file there are at most.
const CONNECTIONS: u32 = 8;
/// How long one waits for a connection, or for another one's lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pool of connections to one SQLite database. A clone is the same pool.
#[derive(Clone)]
pub struct Database(Pool<SqliteConnectionManager>);

impl Database {
    /// A database in this file, which is made if it isn't there.
    ///
    /// # Errors
    ///
    /// When it can't be opened.
    pub fn in_file(path: &Path) -> Result<Database, DatabaseError> {
        let manager = SqliteConnectionManager::file(path).with_init(|connection| {
            connection.busy_timeout(PATIENCE)?;
            // Readers and a writer don't wait for each other.
            connection.pragma_update(None, "journal_mode", "wal")
        });
        let pool = Pool::builder().max_size(CONNECTIONS).min_idle(Some(1));
        Ok(Database(pool.connection_timeout(PATIENCE).build(manager)?))
    }

    /// A database in memory, which is gone with the process.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub fn in_memory() -> Result<Database, DatabaseError> {
        // One connection for ever: another one would have another database.
        let pool = Pool::builder().max_size(1).idle_timeout(None).max_lifetime(None);
        Ok(Database(pool.connection_timeout(PATIENCE).build(SqliteConnectionManager::memory())?))
    }

    /// Works with a connection. This blocks; handlers and jobs use [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// When no connection is to be had, or the work fails.
    pub fn call_blocking<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let mut connection = self.0.get()?;
        Ok(work(&mut connection)?)
    }

    /// Works with a connection on a thread that may block.
    ///
    /// # Errors
    ///
    /// When no connection is to be had, or the work fails or panics.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let database = self.clone();
        match tokio::task::spawn_blocking(move || database.call_blocking(work)).await {
            Ok(outcome) => outcome,
            Err(error) => Err(DatabaseError::Unfinished(error)),
        }
    }
}

/// Why the database did not do what it was asked for.
#[derive(Debug)]
pub enum DatabaseError {
    /// No connection was to be had.
    Pool(r2d2::Error),
    /// SQLite's own.
    Sqlite(rusqlite::Error),
    /// The work panicked, or the server stopped before it.
    Unfinished(tokio::task::JoinError),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseError::Pool(error) => write!(f, "no connection to the database: {error}"),
            DatabaseError::Sqlite(error) => write!(f, "the database says: {error}"),
            DatabaseError::Unfinished(error) => write!(f, "work with the database did not end: {error}"),
        }
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            DatabaseError::Pool(error) => Some(error),
            DatabaseError::Sqlite(error) => Some(error),
            DatabaseError::Unfinished(error) => Some(error),
        }
    }
}

impl From<r2d2::Error> for DatabaseError {
    fn from(error: r2d2::Error) -> Self {
        DatabaseError::Pool(error)
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseError::Sqlite(error)
    }
}
