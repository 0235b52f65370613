//! A second server that copies the first as it is written, and takes its place when it is told to.

use sqlx::{Connection as _, PgConnection};

use super::{Home, Keeping, Server, Watch, free_port, programs};

impl Server {
    /// Starts a streaming standby of this server. From its return on, a commit here is answered only when it is on the
    /// standby's disk too.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(crate) async fn standby(&self) -> Result<Self, String> {
        let programs = programs().ok_or("no PostgreSQL server programs were found")?;
        let folder = tempfile::Builder::new().prefix("tracuu-postgres-").tempdir().map_err(|e| e.to_string())?.keep();
        let watch = Watch::over(&folder)?;
        let home = Home::of(&folder)?;
        let mut copy = home.command(&programs.join("pg_basebackup"))?;
        copy.args(["--pgdata=data", "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"]);
        copy.args(["--dbname", &self.url("postgres")]);
        let copied = copy.status().map_err(|error| format!("pg_basebackup cannot be started: {error}"))?;
        if !copied.success() {
            return Err(format!("pg_basebackup ended with {copied}: {}", home.log()));
        }
        let port = free_port()?;
        let mut postmaster = home.postmaster(&programs, port, Keeping::Durable)?;
        home.until_ready(&mut postmaster)?;
        let standby =
            Self { folder, port, password: self.password.clone(), databases: 0.into(), _watch: watch, postmaster };
        let mut primary = PgConnection::connect(&self.url("postgres")).await.map_err(|error| error.to_string())?;
        // Set after the copy was made: the standby waits for nobody when it is the primary.
        for statement in ["alter system set synchronous_standby_names = '*'", "select pg_reload_conf()"] {
            sqlx::raw_sql(statement).execute(&mut primary).await.map_err(|error| error.to_string())?;
        }
        let sync = "select count(*) from pg_stat_replication where sync_state = 'sync'";
        while sqlx::query_scalar::<_, i64>(sync).fetch_one(&mut primary).await.map_err(|error| error.to_string())? == 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Ok(standby)
    }

    /// Ends the server as the loss of its machine would: nothing is written any more, nobody is told.
    pub(crate) fn kill(&mut self) {
        self.postmaster.0.kill().unwrap();
        self.postmaster.0.wait().unwrap();
    }

    /// Makes a standby the primary; on return it takes writes.
    pub(crate) async fn promote(&self) {
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        let promoted: bool = sqlx::query_scalar("select pg_promote()").fetch_one(&mut connection).await.unwrap();
        assert!(promoted, "the standby was not promoted");
    }

    /// One address for a database on this server and on another, this one first.
    pub(crate) fn url_of_both(&self, other: &Self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{},127.0.0.1:{}/{database}", self.password, self.port, other.port)
    }
}
