//! The trait's promises as statements, written once: `sql_queue!` makes them for a type with `turn()`, `write`, `work` and
//! `read` (pools) and `changed` (a `Notify`).
//!
//! `$now` is the database's time in milliseconds, `$list` … `$end` goes round a parameter that is a JSON list of texts.

/// How often a receiver looks while it waits: for what other processes sent, and what becomes due.
pub(super) const POLL: std::time::Duration = std::time::Duration::from_millis(500);

macro_rules! sql_queue {
    ($queue:ty, $database:ty, name = $name:literal, now = $now:literal, list = $list:literal, end = $end:literal, take = $take:expr) => {
        const _: () = {
        use crate::job::{JobId, JobKind, Lease, Leased, NewJob, kept};
        use crate::queue::{Cancel, Depth, Filter, Held, Later, MOST, Queue, QueueError, Seen, Take, check, millis};
        use crate::sql::row::{self, Row};
        use crate::sql::{failed, statements};
        use serde_json::{Value, json};
        use std::time::Duration;
        use tokio::time::Instant;

        /// All columns of a row, with the time.
        macro_rules! columns {
            () => {
                concat!(
                    "seq, id, kind, tenant, priority, payload, trace, state, attempts, created, not_before, due, holder, \
                     stopping, ended, reason, progress, ",
                    $now,
                    " AS now"
                )
            };
        }

        /// What a holder changes of its own job.
        macro_rules! held {
            ($set:expr) => {
                concat!("UPDATE jobs SET ", $set, " WHERE id = $1 AND holder = $2 AND state = 0")
            };
        }

        /// Due again, unless it shall stop.
        macro_rules! again {
            ($due:expr, $more:expr) => {
                held!(concat!(
                    "holder = NULL, due = ", $due, ", not_before = ", $due,
                    ", state = CASE WHEN stopping = 1 THEN 3 ELSE 0 END, ended = CASE WHEN stopping = 1 THEN ", $now,
                    " END, ", $more
                ))
            };
        }

        impl $queue {
            /// Takes one job in on a connection, within whatever transaction it has; the name of the job that is there.
            async fn put(
                connection: &mut <$database as sqlx::Database>::Connection,
                job: &NewJob,
            ) -> Result<JobId, sqlx::Error> {
                let insert = concat!(
                    "INSERT INTO jobs (id, kind, tenant, priority, payload, trace, once, created, not_before, due) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, ", $now, ", ", $now, " + $8, ", $now, " + $8) \
                     ON CONFLICT DO NOTHING"
                );
                let id = job.id.to_string();
                let done = sqlx::query(insert)
                    .bind(&id)
                    .bind(job.kind.as_str())
                    .bind(&job.tenant)
                    .bind(job.priority.rank())
                    .bind(job.payload.to_string())
                    .bind(&job.trace)
                    .bind(&job.key)
                    .bind(millis(job.delay))
                    .execute(&mut *connection)
                    .await?;
                if done.rows_affected() > 0 {
                    return Ok(job.id);
                }
                let known = "SELECT id FROM jobs WHERE id = $1 OR (once = $2 AND state = 0) LIMIT 1";
                let there: Option<String> =
                    sqlx::query_scalar(known).bind(&id).bind(&job.key).fetch_optional(connection).await?;
                // It may have ended between the two statements: then it was there when it was asked for.
                Ok(there.and_then(|id| id.parse().ok()).unwrap_or(job.id))
            }

            /// Leases what is due now.
            async fn take(
                &self,
                take: &Take,
            ) -> Result<Vec<Leased>, QueueError> {
                let kinds: Vec<&str> = take.kinds.iter().map(JobKind::as_str).collect();
                let token = uuid::Uuid::now_v7().to_string();
                let statement = concat!(
                    "UPDATE jobs SET holder = $1, due = ", $now, " + $2, attempts = attempts + 1 \
                     WHERE seq IN (", $take, ") RETURNING ", columns!()
                );
                let taken = {
                    let _turn = self.turn().await;
                    sqlx::query_as(statement)
                        .bind(&token)
                        .bind(millis(take.lease))
                        .bind(json!(kinds).to_string())
                        .bind(take.max.min(MOST) as i64)
                        .fetch_all(&self.work)
                        .await
                };
                let mut rows: Vec<Row> = taken.map_err(failed)?;
                rows.sort_by_key(Row::order);
                let mut leased = Vec::with_capacity(rows.len());
                for row in rows {
                    match row.leased(&token) {
                        Ok(job) => leased.push(job),
                        Err(unreadable) => {
                            self.end(&unreadable.id, &token, 1, Some(&unreadable.why), None).await?;
                        }
                    }
                }
                Ok(leased)
            }

            /// Ends a job that is held, in a state that can be seen.
            async fn end(
                &self,
                id: &str,
                token: &str,
                state: i64,
                why: Option<&str>,
                report: Option<String>,
            ) -> Result<bool, QueueError> {
                let statement = held!(concat!(
                    "state = $3, ended = ", $now, ", holder = NULL, once = NULL, stopping = 0, \
                     reason = COALESCE($4, reason), progress = COALESCE($5, progress)"
                ));
                let _turn = self.turn().await;
                let done = sqlx::query(statement)
                    .bind(id)
                    .bind(token)
                    .bind(state)
                    .bind(why.map(kept))
                    .bind(report)
                    .execute(&self.write)
                    .await
                    .map_err(failed)?;
                Ok(done.rows_affected() > 0)
            }
        }

        impl Queue for $queue {
            fn send(&self, jobs: Vec<NewJob>) -> Later<'_, Vec<JobId>> {
                Box::pin(async move {
                    check(&jobs)?;
                    let _turn = self.turn().await;
                    let mut all = self.write.begin().await.map_err(failed)?;
                    let mut ids = Vec::with_capacity(jobs.len());
                    for job in &jobs {
                        ids.push(Self::put(&mut all, job).await.map_err(failed)?);
                    }
                    all.commit().await.map_err(failed)?;
                    self.changed.notify_waiters();
                    Ok(ids)
                })
            }

            fn receive<'a>(&'a self, take: &'a Take) -> Later<'a, Vec<Leased>> {
                Box::pin(async move {
                    let end = Instant::now() + take.wait.min(Duration::from_secs(20));
                    loop {
                        let mut changed = std::pin::pin!(self.changed.notified());
                        // Enlisted before looking: what is sent in between is not missed.
                        changed.as_mut().enable();
                        let leased = self.take(take).await?;
                        let left = end.saturating_duration_since(Instant::now());
                        if !leased.is_empty() || left.is_zero() {
                            return Ok(leased);
                        }
                        let pause = left.min(statements::POLL);
                        let _either = tokio::time::timeout(pause, changed).await;
                    }
                })
            }

            fn extend<'a>(
                &'a self,
                lease: &'a Lease,
                by: Duration,
                progress: Option<&'a Value>,
            ) -> Later<'a, Held> {
                Box::pin(async move {
                    let statement = concat!(
                        held!(concat!("due = ", $now, " + $3, progress = COALESCE($4, progress)")),
                        " RETURNING stopping"
                    );
                    let _turn = self.turn().await;
                    let stopping: Option<i64> = sqlx::query_scalar(statement)
                        .bind(lease.id.to_string())
                        .bind(&lease.token)
                        .bind(millis(by))
                        .bind(progress.map(ToString::to_string))
                        .fetch_optional(&self.work)
                        .await
                        .map_err(failed)?;
                    Ok(match stopping {
                        None => Held::Lost,
                        Some(0) => Held::Yes,
                        Some(_) => Held::Cancelled,
                    })
                })
            }

            fn done<'a>(
                &'a self,
                lease: &'a Lease,
                report: Option<&'a Value>,
            ) -> Later<'a, bool> {
                Box::pin(async move {
                    let id = lease.id.to_string();
                    if let Some(report) = report {
                        return self.end(&id, &lease.token, 2, None, Some(report.to_string())).await;
                    }
                    let _turn = self.turn().await;
                    let done = sqlx::query("DELETE FROM jobs WHERE id = $1 AND holder = $2 AND state = 0")
                        .bind(id)
                        .bind(&lease.token)
                        .execute(&self.work)
                        .await
                        .map_err(failed)?;
                    Ok(done.rows_affected() > 0)
                })
            }

            fn retry<'a>(
                &'a self,
                lease: &'a Lease,
                after: Duration,
                why: &'a str,
            ) -> Later<'a, bool> {
                Box::pin(async move {
                    let statement = again!(concat!($now, " + $3"), "reason = $4");
                    let _turn = self.turn().await;
                    let done = sqlx::query(statement)
                        .bind(lease.id.to_string())
                        .bind(&lease.token)
                        .bind(millis(after))
                        .bind(kept(why))
                        .execute(&self.work)
                        .await
                        .map_err(failed)?;
                    if after.is_zero() {
                        self.changed.notify_waiters();
                    }
                    Ok(done.rows_affected() > 0)
                })
            }

            fn give_back<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
                Box::pin(async move {
                    let statement = again!($now, "attempts = attempts - 1");
                    let _turn = self.turn().await;
                    let done = sqlx::query(statement)
                        .bind(lease.id.to_string())
                        .bind(&lease.token)
                        .execute(&self.work)
                        .await
                        .map_err(failed)?;
                    self.changed.notify_waiters();
                    Ok(done.rows_affected() > 0)
                })
            }

            fn bury<'a>(&'a self, lease: &'a Lease, why: &'a str) -> Later<'a, bool> {
                Box::pin(async move { self.end(&lease.id.to_string(), &lease.token, 1, Some(why), None).await })
            }

            fn stopped<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
                Box::pin(async move { self.end(&lease.id.to_string(), &lease.token, 3, None, None).await })
            }

            fn cancel(&self, id: JobId) -> Later<'_, Cancel> {
                Box::pin(async move {
                    let removed = concat!(
                        "UPDATE jobs SET state = 3, ended = ", $now, ", holder = NULL, once = NULL WHERE id = $1 AND \
                         (state = 1 OR (state = 0 AND (holder IS NULL OR due <= ", $now, ")))"
                    );
                    let asked = "UPDATE jobs SET stopping = 1 WHERE id = $1 AND state = 0";
                    let id = id.to_string();
                    let _turn = self.turn().await;
                    // Where it is given back in between it is found to be stopping, and ends there.
                    let done = sqlx::query(removed).bind(&id).execute(&self.write).await.map_err(failed)?;
                    if done.rows_affected() > 0 {
                        return Ok(Cancel::Removed);
                    }
                    let done = sqlx::query(asked).bind(&id).execute(&self.write).await.map_err(failed)?;
                    Ok(match done.rows_affected() {
                        0 => Cancel::None,
                        _ => Cancel::Asked,
                    })
                })
            }

            fn replay<'a>(&'a self, ids: &'a [JobId]) -> Later<'a, u64> {
                Box::pin(async move {
                    let statement = concat!(
                        "UPDATE jobs SET state = 0, attempts = 0, ended = NULL, progress = NULL, due = ", $now, ", not_before = ", $now,
                        " WHERE state = 1 AND id IN ", $list, "$1", $end
                    );
                    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                    let _turn = self.turn().await;
                    let done = sqlx::query(statement)
                        .bind(json!(ids).to_string())
                        .execute(&self.write)
                        .await
                        .map_err(failed)?;
                    self.changed.notify_waiters();
                    Ok(done.rows_affected())
                })
            }

            fn depth(&self) -> Later<'_, Depth> {
                Box::pin(async move {
                    let statement = concat!(
                        "SELECT kind, \
                         COUNT(CASE WHEN state = 0 AND stopping = 0 AND due <= now THEN 1 END) AS ready, \
                         COUNT(CASE WHEN state = 0 AND due > now AND holder IS NOT NULL THEN 1 END) AS leased, \
                         COUNT(CASE WHEN state = 0 AND due > now AND holder IS NULL THEN 1 END) AS delayed, \
                         COUNT(CASE WHEN state = 1 THEN 1 END) AS dead, \
                         MIN(CASE WHEN state = 0 AND stopping = 0 AND due <= now THEN due END) AS oldest, \
                         MIN(now) AS now \
                         FROM jobs, (SELECT ", $now, " AS now) AS clock WHERE state <= 1 GROUP BY kind"
                    );
                    let rows = sqlx::query_as(statement).fetch_all(&self.read).await.map_err(failed)?;
                    Ok(row::depth(rows))
                })
            }

            fn get(&self, id: JobId) -> Later<'_, Option<Seen>> {
                Box::pin(async move {
                    let statement = concat!("SELECT ", columns!(), " FROM jobs WHERE id = $1");
                    let row: Option<Row> = sqlx::query_as(statement)
                        .bind(id.to_string())
                        .fetch_optional(&self.read)
                        .await
                        .map_err(failed)?;
                    Ok(row.and_then(Row::seen))
                })
            }

            fn jobs<'a>(
                &'a self,
                filter: &'a Filter,
                after: Option<JobId>,
                limit: usize,
            ) -> Later<'a, Vec<Seen>> {
                Box::pin(async move {
                    let statement = concat!(
                        "SELECT ", columns!(), " FROM jobs WHERE ($1 IS NULL OR id > $1) AND ($2 IS NULL OR tenant = $2) \
                         AND ($3 = '[]' OR kind IN ", $list, "$3", $end, ") AND ($4 = '[]' OR ",
                        "CASE WHEN state = 1 THEN 'dead' WHEN state = 2 THEN 'done' WHEN state = 3 THEN 'cancelled' \
                         WHEN due <= ", $now, " THEN 'ready' WHEN holder IS NULL THEN 'delayed' ELSE 'running' END IN ",
                        $list, "$4", $end, ") ORDER BY id LIMIT $5"
                    );
                    let kinds: Vec<&str> = filter.kinds.iter().map(JobKind::as_str).collect();
                    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
                    let rows: Vec<Row> = sqlx::query_as(statement)
                        .bind(after.map(|id| id.to_string()))
                        .bind(&filter.tenant)
                        .bind(json!(kinds).to_string())
                        .bind(json!(states).to_string())
                        .bind(limit.min(MOST) as i64)
                        .fetch_all(&self.read)
                        .await
                        .map_err(failed)?;
                    Ok(rows.into_iter().filter_map(Row::seen).collect())
                })
            }

            fn tick<'a>(
                &'a self,
                name: &'a str,
                every: Duration,
                job: NewJob,
            ) -> Later<'a, bool> {
                Box::pin(async move {
                    check(std::slice::from_ref(&job))?;
                    // A due time beyond the period was set when the period was longer.
                    let claim = concat!(
                        "INSERT INTO jobs_schedule (name, due) VALUES ($1, ", $now, " + $2) ON CONFLICT (name) DO UPDATE \
                         SET due = excluded.due WHERE jobs_schedule.due <= ", $now, " OR jobs_schedule.due > ", $now,
                        " + $2"
                    );
                    let _turn = self.turn().await;
                    let mut both = self.write.begin().await.map_err(failed)?;
                    let done = sqlx::query(claim)
                        .bind(name)
                        .bind(millis(every))
                        .execute(&mut *both)
                        .await
                        .map_err(failed)?;
                    if done.rows_affected() == 0 {
                        return Ok(false);
                    }
                    Self::put(&mut both, &job).await.map_err(failed)?;
                    both.commit().await.map_err(failed)?;
                    self.changed.notify_waiters();
                    Ok(true)
                })
            }

            fn sweep(&self, keep: Duration) -> Later<'_, u64> {
                Box::pin(async move {
                    // Its holder was asked to stop, and has died.
                    let orphans = concat!(
                        "UPDATE jobs SET state = 3, ended = ", $now, ", holder = NULL, once = NULL \
                         WHERE stopping = 1 AND state = 0 AND due <= ", $now
                    );
                    let over = concat!("DELETE FROM jobs WHERE state >= 2 AND ended <= ", $now, " - $1");
                    let _turn = self.turn().await;
                    sqlx::query(orphans).execute(&self.work).await.map_err(failed)?;
                    let done = sqlx::query(over)
                        .bind(millis(keep))
                        .execute(&self.work)
                        .await
                        .map_err(failed)?;
                    Ok(done.rows_affected())
                })
            }

            fn name(&self) -> &'static str {
                $name
            }
        }
        };
    };
}

pub(super) use sql_queue;
