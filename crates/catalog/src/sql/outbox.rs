//! The outbox: what has yet to be handed on, and who may do so.

use super::session::{Cell, cells};
use super::{Sql, document, micros, moment};
use crate::error::StoreError;
use crate::event::Event;
use crate::store::Lag;
use jiff::Timestamp;
use std::time::Duration;

/// Events that are marked by one statement.
const MARKED: usize = 500;

impl Sql {
    pub(super) async fn waiting(&self, limit: usize) -> Result<Vec<Event>, StoreError> {
        let lines = self.read("SELECT seq, doc FROM outbox ORDER BY seq LIMIT $1", cells![limit]).await?;
        let one = |line: &super::Line| {
            let event: Event = document(line, 1, "an event")?;
            Ok(Event { seq: line.count(0)?, ..event })
        };
        lines.iter().map(one).collect()
    }

    pub(super) async fn handed_on(&self, events: &[Event]) -> Result<(), StoreError> {
        for some in events.chunks(MARKED) {
            let numbers: Vec<String> = (1..=some.len()).map(|number| format!("${number}")).collect();
            let sql = format!("DELETE FROM outbox WHERE seq IN ({})", numbers.join(", "));
            self.write(&sql, some.iter().map(|event| Cell::from(event.seq)).collect()).await?;
        }
        Ok(())
    }

    pub(super) async fn behind(&self) -> Result<Lag, StoreError> {
        let lines = self.read("SELECT COUNT(*), MIN(at) FROM outbox", cells![]).await?;
        let Some(line) = lines.first() else { return Ok(Lag::default()) };
        let events = line.count(0)?;
        let oldest = if events == 0 { None } else { Some(moment(line.int(1)?)?) };
        Ok(Lag { events, oldest })
    }

    pub(super) async fn leading(&self, holder: &str, now: Timestamp, lease: Duration) -> Result<bool, StoreError> {
        let length = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
        let sql = "INSERT INTO leases (name, holder, until) VALUES ('outbox', $1, $2) ON CONFLICT (name) DO UPDATE \
                   SET holder = $1, until = $2 WHERE leases.holder = $1 OR leases.until <= $3 RETURNING holder";
        let now = micros(now);
        Ok(!self.write(sql, cells![holder, now.saturating_add(length), now]).await?.is_empty())
    }
}
