//! Single requests to the bucket, with what their answers mean here.
//!
//! Knows keys, not what lies under them. Invariant: only what S3 says of the one object is an absence; all else is failure.

use super::Parts;
use crate::Failure;
use aws::Fault;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, MetadataDirective, Object, ObjectIdentifier};
use bytes::{Bytes, BytesMut};

/// Objects that one request may delete or list.
const MOST: usize = 1000;
/// What stays as it is where a key is named in a header.
const PLAIN: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Whether a condition of a write held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It is there now.
    Now,
    /// Something was there before.
    Before,
}

impl Parts {
    pub(super) fn key(&self, place: &str) -> String {
        self.bucket.key(place)
    }

    pub(super) async fn head(&self, place: &str) -> Result<Option<HeadObjectOutput>, Failure> {
        let client = self.bucket.client().await?;
        let request = client.head_object().bucket(&self.bucket.name).key(self.key(place));
        match request.send().await.map_err(|error| Fault::of(&error)) {
            Ok(head) => Ok(Some(head)),
            Err(fault) if is_absence(&fault) => Ok(None),
            Err(fault) => Err(failure(&fault)),
        }
    }

    /// At most `most` bytes from `from` on.
    pub(super) async fn get(&self, place: &str, from: u64, most: usize) -> Result<Option<Bytes>, Failure> {
        let client = self.bucket.client().await?;
        let range = format!("bytes={from}-{}", from.saturating_add(most as u64).saturating_sub(1));
        let request = client.get_object().bucket(&self.bucket.name).key(self.key(place)).range(range);
        let mut body = match request.send().await.map_err(|error| Fault::of(&error)) {
            Ok(found) => found.body,
            Err(fault) if is_absence(&fault) => return Ok(None),
            // Behind its end.
            Err(Fault::Answered(answer)) if answer.status == 416 => return Ok(Some(Bytes::new())),
            Err(fault) => return Err(failure(&fault)),
        };
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| Failure::Store(format!("the body broke off: {error}")))?;
            if bytes.len() + chunk.len() > most {
                return Err(Failure::Store(format!("more than the {most} bytes that were asked for")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes.freeze()))
    }

    /// An object, unless there is one of that key.
    pub(super) async fn put_new(&self, place: &str, bytes: Bytes) -> Result<Written, Failure> {
        let client = self.bucket.client().await?;
        let request = client.put_object().bucket(&self.bucket.name).key(self.key(place)).if_none_match("*");
        written(request.body(ByteStream::from(bytes)).send().await.map_err(|error| Fault::of(&error)))
    }

    /// An object, over another one; with one field of metadata perhaps.
    pub(super) async fn put(&self, place: &str, bytes: Bytes, metadata: Option<(&str, &str)>) -> Result<(), Failure> {
        let client = self.bucket.client().await?;
        let mut request = client.put_object().bucket(&self.bucket.name).key(self.key(place));
        if let Some((name, value)) = metadata {
            request = request.metadata(name, value);
        }
        let sent = request.body(ByteStream::from(bytes)).send().await;
        sent.map(drop).map_err(|error| failure(&Fault::of(&error)))
    }

    /// One object to another place, without its bytes coming here.
    pub(super) async fn copy(&self, from: &str, to: &str) -> Result<(), Failure> {
        let client = self.bucket.client().await?;
        let request = client.copy_object().bucket(&self.bucket.name).key(self.key(to)).copy_source(self.source(from));
        // What a client may have sent with it stays behind.
        let sent = request.metadata_directive(MetadataDirective::Replace).send().await;
        sent.map(drop).map_err(|error| failure(&Fault::of(&error)))
    }

    /// As a header names it.
    pub(super) fn source(&self, place: &str) -> String {
        let key = self.key(place);
        format!("{}/{}", self.bucket.name, percent_encoding::utf8_percent_encode(&key, PLAIN))
    }

    pub(super) async fn delete(&self, place: &str) -> Result<(), Failure> {
        let client = self.bucket.client().await?;
        let request = client.delete_object().bucket(&self.bucket.name).key(self.key(place));
        match request.send().await.map_err(|error| Fault::of(&error)) {
            Err(fault) if is_absence(&fault) => Ok(()),
            result => result.map(drop).map_err(|fault| failure(&fault)),
        }
    }

    pub(super) async fn delete_all(&self, places: &[String]) -> Result<(), Failure> {
        let client = self.bucket.client().await?;
        for some in places.chunks(MOST) {
            let objects = some.iter().map(|place| ObjectIdentifier::builder().key(self.key(place)).build());
            let objects: Vec<_> =
                objects.collect::<Result<_, _>>().map_err(|error| Failure::Store(error.to_string()))?;
            let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
            let delete = delete.map_err(|error| Failure::Store(error.to_string()))?;
            let sent = client.delete_objects().bucket(&self.bucket.name).delete(delete).send().await;
            let told = sent.map_err(|error| failure(&Fault::of(&error)))?;
            if let Some(error) = told.errors().first() {
                let (key, code) = (error.key().unwrap_or_default(), error.code().unwrap_or_default());
                return Err(Failure::Store(format!("{key} was not deleted: {code}")));
            }
        }
        Ok(())
    }

    /// Up to `limit` objects below a folder, behind a place, in the order of keys; by the place of each and its length.
    pub(super) async fn list(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, Failure> {
        let client = self.bucket.client().await?;
        let root = self.key("");
        let mut told = Vec::new();
        let mut behind = after.map(|place| self.key(place));
        while told.len() < limit {
            let most = i32::try_from((limit - told.len()).min(MOST)).unwrap_or(1);
            let request = client.list_objects_v2().bucket(&self.bucket.name).prefix(self.key(folder));
            let request = request.set_start_after(behind.take()).max_keys(most);
            let page = request.send().await.map_err(|error| failure(&Fault::of(&error)))?;
            let of = |object: &Object| {
                let place = object.key()?.strip_prefix(&root)?.to_owned();
                Some((place, object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default()))
            };
            told.extend(page.contents().iter().filter_map(of));
            let last = page.contents().last().and_then(|object| object.key().map(str::to_owned));
            if page.is_truncated() != Some(true) || last.is_none() {
                break;
            }
            behind = last;
        }
        Ok(told)
    }
}

pub(super) fn written<T>(result: Result<T, Fault>) -> Result<Written, Failure> {
    match result {
        Ok(_) => Ok(Written::Now),
        // 409: somebody else was just at it.
        Err(Fault::Answered(answer)) if matches!(answer.status, 409 | 412) => Ok(Written::Before),
        Err(fault) => Err(failure(&fault)),
    }
}

/// Of the object, not of the bucket. Some servers give no code.
fn is_absence(fault: &Fault) -> bool {
    let is = |code: &str| matches!(code, "NoSuchKey" | "NotFound" | "");
    matches!(fault, Fault::Answered(answer) if answer.status == 404 && is(&answer.code))
}

pub(super) fn failure(fault: &Fault) -> Failure {
    match fault {
        Fault::Answered(answer) if answer.status == 507 || answer.code.contains("StorageFull") => Failure::Full,
        Fault::Answered(answer) if answer.status == 403 => Failure::Store(format!(
            "{fault}; needed are s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload below the prefix, \
             and s3:ListBucket"
        )),
        fault => Failure::Store(fault.to_string()),
    }
}
