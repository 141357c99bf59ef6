//! Contents as objects, made of what is staged without more of it in memory than one part.
//!
//! Invariant: an upload in parts that did not come to its end is aborted.

use super::ask::{Written, failure, written};
use super::{Parts, S3Store};
use crate::{ContentKey, Contents, Failure, Kept, Later, StageId};
use aws::Fault;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::{Bytes, BytesMut};

/// The smallest part but the last.
const SMALLEST: u64 = 5 << 20;
/// The largest object that one copy makes.
const LARGEST: u64 = 5 << 30;

impl Contents for S3Store {
    fn keep<'a>(&'a self, stage: &'a StageId, key: &'a ContentKey) -> Later<'a, Kept> {
        let (stage, place) = (stage.clone(), key.place());
        self.run(|parts| async move { parts.keep(&stage, &place).await })
    }

    fn look<'a>(&'a self, key: &'a ContentKey) -> Later<'a, Option<u64>> {
        let place = key.place();
        self.run(|parts| async move { parts.look(&place).await })
    }

    fn read<'a>(&'a self, key: &'a ContentKey, from: u64, most: usize) -> Later<'a, Bytes> {
        let place = key.place();
        self.run(move |parts| async move { parts.get(&place, from, most).await?.ok_or(Failure::Absent) })
    }

    fn remove<'a>(&'a self, key: &'a ContentKey) -> Later<'a, ()> {
        let place = key.place();
        self.run(|parts| async move { parts.delete(&place).await })
    }

    fn contents<'a>(&'a self, after: Option<&'a ContentKey>, limit: usize) -> Later<'a, Vec<ContentKey>> {
        let after = after.map(ContentKey::place);
        self.run(move |parts| async move {
            let objects = parts.list("content/", after.as_deref(), limit).await?;
            Ok(objects.iter().filter_map(|(place, _)| ContentKey::at(place)).collect())
        })
    }
}

impl Parts {
    async fn look(&self, place: &str) -> Result<Option<u64>, Failure> {
        let length = |length: i64| u64::try_from(length).unwrap_or_default();
        Ok(self.head(place).await?.map(|head| head.content_length.map_or(0, length)))
    }

    async fn keep(&self, stage: &StageId, place: &str) -> Result<Kept, Failure> {
        let pieces = self.pieces(stage).await?;
        let length: u64 = pieces.iter().map(|(_, length)| length).sum();
        if pieces.is_empty() {
            return Err(Failure::NotStaged);
        }
        if self.look(place).await? == Some(length) {
            return Ok(Kept::Known);
        }
        let written = match &pieces[..] {
            [(piece, length)] if *length <= LARGEST => {
                self.copy(piece, place).await?;
                Written::Now
            }
            pieces if length <= self.part as u64 => self.put_new(place, self.joined(pieces).await?).await?,
            pieces => self.assemble(pieces, place).await?,
        };
        Ok(if written == Written::Now { Kept::New } else { Kept::Known })
    }

    async fn joined(&self, pieces: &[(String, u64)]) -> Result<Bytes, Failure> {
        let mut all = BytesMut::new();
        for (piece, length) in pieces {
            all.extend_from_slice(&self.whole(piece, *length).await?);
        }
        Ok(all.freeze())
    }

    /// A staged piece, which is never larger than what was appended at once.
    async fn whole(&self, piece: &str, length: u64) -> Result<Bytes, Failure> {
        let most = usize::try_from(length).map_err(|_| Failure::Store("a piece larger than memory".to_owned()))?;
        let bytes = self.get(piece, 0, most).await?.ok_or(Failure::NotStaged)?;
        if bytes.len() == most { Ok(bytes) } else { Err(Failure::Store(format!("{piece} is shorter than it was"))) }
    }

    async fn assemble(&self, pieces: &[(String, u64)], place: &str) -> Result<Written, Failure> {
        let client = self.bucket.client().await?;
        let begun = client.create_multipart_upload().bucket(&self.bucket.name).key(self.key(place)).send().await;
        let begun = begun.map_err(|error| failure(&Fault::of(&error)))?;
        let id = begun.upload_id.ok_or_else(|| Failure::Store("an upload without a name".to_owned()))?;
        let written = self.upload(pieces, place, &id).await;
        if !matches!(written, Ok(Written::Now)) {
            let abort = client.abort_multipart_upload().bucket(&self.bucket.name).key(self.key(place)).upload_id(&id);
            if let Err(error) = abort.send().await {
                tracing::warn!(place, "an upload in parts could not be aborted: {}", Fault::of(&error));
            }
        }
        written
    }

    async fn upload(&self, pieces: &[(String, u64)], place: &str, id: &str) -> Result<Written, Failure> {
        let mut done = Vec::new();
        let mut gathered = BytesMut::new();
        for (at, (piece, length)) in pieces.iter().enumerate() {
            let last = at + 1 == pieces.len();
            if gathered.is_empty() && (*length >= SMALLEST || last) && *length <= LARGEST {
                done.push(self.copied_part(piece, place, id, done.len()).await?);
                continue;
            }
            gathered.extend_from_slice(&self.whole(piece, *length).await?);
            if gathered.len() >= self.part || last {
                done.push(self.part(gathered.split().freeze(), place, id, done.len()).await?);
            }
        }
        let client = self.bucket.client().await?;
        let request = client.complete_multipart_upload().bucket(&self.bucket.name).key(self.key(place)).upload_id(id);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
        let sent = request.if_none_match("*").multipart_upload(parts).send().await;
        written(sent.map_err(|error| Fault::of(&error)))
    }

    async fn copied_part(&self, piece: &str, place: &str, id: &str, before: usize) -> Result<CompletedPart, Failure> {
        let number = number(before)?;
        let client = self.bucket.client().await?;
        let request = client.upload_part_copy().bucket(&self.bucket.name).key(self.key(place)).upload_id(id);
        let sent = request.part_number(number).copy_source(self.source(piece)).send().await;
        let sent = sent.map_err(|error| failure(&Fault::of(&error)))?;
        let tag = sent.copy_part_result.and_then(|result| result.e_tag);
        Ok(CompletedPart::builder().part_number(number).set_e_tag(tag).build())
    }

    async fn part(&self, bytes: Bytes, place: &str, id: &str, before: usize) -> Result<CompletedPart, Failure> {
        let number = number(before)?;
        let client = self.bucket.client().await?;
        let request = client.upload_part().bucket(&self.bucket.name).key(self.key(place)).upload_id(id);
        let sent = request.part_number(number).body(ByteStream::from(bytes)).send().await;
        let sent = sent.map_err(|error| failure(&Fault::of(&error)))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
    }
}

fn number(before: usize) -> Result<i32, Failure> {
    i32::try_from(before + 1)
        .ok()
        .filter(|number| *number <= 10_000)
        .ok_or_else(|| Failure::Store("more than 10,000 parts: raise store.s3.part".to_owned()))
}
