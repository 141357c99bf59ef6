//! What is being uploaded: an object for each piece, called by its offset, `staging/<id>/<20 digits>`.
//!
//! All there is to know lies in the bucket, so that any instance can go on with an upload, and one that ends loses nothing.
//! Invariant: two writers cannot both write at an offset; pieces follow upon each other without gaps.

use super::ask::Written;
use super::{Parts, S3Store};
use crate::{Failure, Invitation, Later, MAX_NOTE, StageId, Staging};
use aws::Fault;
use aws_sdk_s3::presigning::PresigningConfig;
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// Pieces of one stage: those of the largest upload, with room for clients that send little at a time.
const MOST_PIECES: usize = 100_000;

impl Staging for S3Store {
    fn piece(&self) -> usize {
        self.parts.part
    }

    fn append<'a>(&'a self, stage: &'a StageId, offset: u64, bytes: Bytes) -> Later<'a, u64> {
        let stage = stage.clone();
        self.run(move |parts| async move { parts.append(&stage, offset, bytes).await })
    }

    fn length<'a>(&'a self, stage: &'a StageId) -> Later<'a, u64> {
        let stage = stage.clone();
        self.run(|parts| async move { Ok(parts.pieces(&stage).await?.iter().map(|(_, length)| length).sum()) })
    }

    fn staged<'a>(&'a self, stage: &'a StageId, from: u64, most: usize) -> Later<'a, Bytes> {
        let stage = stage.clone();
        self.run(move |parts| async move { parts.staged(&stage, from, most).await })
    }

    fn note<'a>(&'a self, stage: &'a StageId, note: Bytes) -> Later<'a, ()> {
        let place = format!("{}note", stage.place());
        self.run(move |parts| async move {
            if note.len() > MAX_NOTE {
                return Err(Failure::Store(format!("a note of {} bytes", note.len())));
            }
            parts.put(&place, note, None).await
        })
    }

    fn noted<'a>(&'a self, stage: &'a StageId) -> Later<'a, Option<Bytes>> {
        let place = format!("{}note", stage.place());
        self.run(|parts| async move { parts.get(&place, 0, MAX_NOTE).await })
    }

    fn discard<'a>(&'a self, stage: &'a StageId) -> Later<'a, ()> {
        let folder = stage.place();
        self.run(|parts| async move {
            let objects = parts.list(&folder, None, MOST_PIECES).await?;
            let places: Vec<String> = objects.into_iter().map(|(place, _)| place).collect();
            parts.delete_all(&places).await
        })
    }

    fn stages<'a>(&'a self, after: Option<&'a StageId>, limit: usize) -> Later<'a, Vec<StageId>> {
        let after = after.cloned();
        self.run(move |parts| async move { parts.stages(after.as_ref(), limit).await })
    }

    fn invite<'a>(&'a self, stage: &'a StageId, bytes: u64, holds: Duration) -> Later<'a, Option<Invitation>> {
        let place = piece(stage, 0);
        self.run(move |parts| async move { parts.invite(&place, bytes, holds).await.map(Some) })
    }
}

fn piece(stage: &StageId, offset: u64) -> String {
    format!("{}{offset:020}", stage.place())
}

impl Parts {
    /// The pieces by their places, as far as each begins where the one before ends.
    pub(super) async fn pieces(&self, stage: &StageId) -> Result<Vec<(String, u64)>, Failure> {
        let mut at = 0;
        let mut pieces = self.list(&stage.place(), None, MOST_PIECES).await?;
        pieces.retain(|(place, length)| {
            let next = *place == piece(stage, at);
            at += if next { *length } else { 0 };
            next
        });
        Ok(pieces)
    }

    async fn append(&self, stage: &StageId, offset: u64, bytes: Bytes) -> Result<u64, Failure> {
        let pieces = self.pieces(stage).await?;
        let length: u64 = pieces.iter().map(|(_, length)| length).sum();
        if length != offset {
            return Err(Failure::Offset { length });
        }
        if pieces.len() >= MOST_PIECES {
            return Err(Failure::Full);
        }
        let more = bytes.len() as u64;
        if more == 0 {
            return Ok(length);
        }
        match self.put_new(&piece(stage, offset), bytes).await? {
            Written::Now => Ok(length + more),
            Written::Before => Err(Failure::Busy),
        }
    }

    async fn staged(&self, stage: &StageId, from: u64, most: usize) -> Result<Bytes, Failure> {
        let pieces = self.pieces(stage).await?;
        if pieces.is_empty() {
            return Err(Failure::NotStaged);
        }
        let mut read = BytesMut::new();
        let mut begin = 0;
        for (place, length) in pieces {
            let end = begin + length;
            let at = from + read.len() as u64;
            if (begin..end).contains(&at) && read.len() < most {
                let bytes = self.get(&place, at - begin, most - read.len()).await?.ok_or(Failure::NotStaged)?;
                read.extend_from_slice(&bytes);
            }
            begin = end;
        }
        Ok(read.freeze())
    }

    async fn stages(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageId>, Failure> {
        let client = self.bucket.client().await?;
        let (root, mut told, mut next) = (self.key("staging/"), Vec::new(), None);
        // `0` is the character behind the slash.
        let behind = after.map(|stage| format!("{root}{stage}0"));
        loop {
            let request = client.list_objects_v2().bucket(&self.bucket.name).prefix(&root).delimiter("/");
            let request = request.set_start_after(behind.clone()).set_continuation_token(next.take());
            let page = request.send().await.map_err(|error| super::ask::failure(&Fault::of(&error)))?;
            let names = page.common_prefixes().iter().filter_map(|folder| folder.prefix()?.strip_prefix(&root));
            let stages = names.filter_map(|name| name.trim_end_matches('/').parse::<StageId>().ok());
            told.extend(stages.filter(|stage| after.is_none_or(|after| stage > after)));
            next = page.next_continuation_token.filter(|_| page.is_truncated == Some(true));
            if told.len() >= limit || next.is_none() {
                told.sort();
                told.truncate(limit);
                return Ok(told);
            }
        }
    }

    async fn invite(&self, place: &str, bytes: u64, holds: Duration) -> Result<Invitation, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::Store(format!("an invitation: {error}"));
        let client = self.bucket.client().await?;
        let length = i64::try_from(bytes).map_err(|error| wrong(&error))?;
        let request = client.put_object().bucket(&self.bucket.name).key(self.key(place)).content_length(length);
        let config = PresigningConfig::expires_in(holds).map_err(|error| wrong(&error))?;
        let signed = request.presigned(config).await.map_err(|error| wrong(&Fault::of(&error)))?;
        let headers = signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Invitation { url: signed.uri().to_owned(), headers })
    }
}
