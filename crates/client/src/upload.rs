//! Uploads: small files in one request, large ones by tus 1.0, in parts that are gone on with where they broke off. Each is tried
//! again where the connection breaks.
//!
//! Knows no folder. Invariant: what is sent is what the file held when it was begun: a file that changes meanwhile is given up.

use crate::asset::Asset;
use crate::failure::Failure;
use crate::session::Client;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

const UPLOADS: &str = "/ingest/v1/uploads";
/// In which the answer to the last part names the record.
const ASSET: &str = "tintype-asset";
/// Bytes of one request.
const PART: u64 = 8 << 20;
/// Tries of one part; between them is a pause that doubles.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that the server has.
    pub sent: u64,
    /// Bytes in all.
    pub total: u64,
}

/// A file as it was when it was looked at.
pub(crate) struct Source<'f> {
    pub(crate) file: &'f Path,
    pub(crate) bytes: u64,
    pub(crate) modified: SystemTime,
}

impl<'f> Source<'f> {
    pub(crate) fn look(file: &'f Path) -> Result<Self, Failure> {
        let about = std::fs::metadata(file).map_err(|error| Failure::file(file, error))?;
        if !about.is_file() {
            return Err(Failure::file(file, "is no file"));
        }
        let modified = about.modified().map_err(|error| Failure::file(file, error))?;
        Ok(Self { file, bytes: about.len(), modified })
    }

    /// A part of it, if it is still the file that was looked at.
    fn part(&self, offset: u64) -> Result<Bytes, Failure> {
        let read = || {
            let file = File::open(self.file)?;
            let mut part = vec![0; usize::try_from(PART.min(self.bytes.saturating_sub(offset))).unwrap_or_default()];
            file.read_exact_at(&mut part, offset)?;
            Ok::<_, std::io::Error>((file.metadata()?, part))
        };
        let (about, part) = read().map_err(|error| Failure::file(self.file, error))?;
        if about.len() != self.bytes || about.modified().ok() != Some(self.modified) {
            return Err(Failure::file(self.file, "changed while it was being sent"));
        }
        Ok(part.into())
    }
}

/// Where an upload goes, and where it was begun.
pub(crate) struct Target<'t> {
    pub(crate) path: &'t str,
    /// The upload that was begun earlier.
    pub(crate) begun: Option<String>,
}

impl Client {
    /// Publishes a file under a name; what was there becomes a version. `tell` hears how far it is.
    ///
    /// # Errors
    /// See [`Failure`]; the server refuses the picture, and says why.
    pub async fn upload(&self, file: &Path, path: &str, tell: &(dyn Fn(Progress) + Sync)) -> Result<Asset, Failure> {
        let source = Source::look(file)?;
        self.transfer(&source, Target { path, begun: None }, tell, &|_begun| {}).await
    }

    /// `note` hears of the upload once it is begun, for whoever wants to go on with it later.
    pub(crate) async fn transfer(
        &self,
        source: &Source<'_>,
        target: Target<'_>,
        tell: &(dyn Fn(Progress) + Sync),
        note: &(dyn Fn(&str) + Sync),
    ) -> Result<Asset, Failure> {
        let total = source.bytes;
        if total <= PART && target.begun.is_none() {
            return self.whole(source, target.path, tell).await;
        }
        let gone_on = match &target.begun {
            Some(begun) => self.offset(begun).await?.map(|offset| (begun.clone(), offset)),
            None => None,
        };
        let (upload, mut offset) = match gone_on {
            Some(found) => found,
            None => {
                let upload = self.begin(source, target.path).await?;
                note(&upload);
                (upload, 0)
            }
        };
        let mut tries = 0;
        loop {
            tell(Progress { sent: offset, total });
            let failure = match self.part(source, &upload, offset).await {
                Ok((reached, Some(asset))) if reached >= total => {
                    tell(Progress { sent: total, total });
                    return Ok(asset);
                }
                Ok((reached, _)) if reached > offset && reached < total => {
                    (offset, tries) = (reached, 0);
                    continue;
                }
                Ok(_) => Failure::Unreachable("the server took a part and does not have it".to_owned()),
                Err(failure) => failure,
            };
            tries += 1;
            if !failure.may_pass() || tries >= TRIES {
                return Err(failure);
            }
            tokio::time::sleep(pause(&failure, tries)).await;
            if let Ok(Some(reached)) = self.offset(&upload).await {
                offset = reached;
            }
        }
    }

    /// A file of one part, in one request: sent again, nothing is done twice.
    async fn whole(&self, source: &Source<'_>, path: &str, tell: &(dyn Fn(Progress) + Sync)) -> Result<Asset, Failure> {
        let total = source.bytes;
        let mut tries = 0;
        loop {
            tell(Progress { sent: 0, total });
            match self.put(path, source.part(0)?).await {
                Ok(asset) => {
                    tell(Progress { sent: total, total });
                    return Ok(asset);
                }
                Err(failure) => {
                    tries += 1;
                    if !failure.may_pass() || tries >= TRIES {
                        return Err(failure);
                    }
                    tokio::time::sleep(pause(&failure, tries)).await;
                }
            }
        }
    }

    async fn begin(&self, source: &Source<'_>, path: &str) -> Result<String, Failure> {
        let name = source.file.file_name().unwrap_or_default().to_string_lossy();
        let metadata = format!("filename {},path {}", STANDARD.encode(name.as_bytes()), STANDARD.encode(path));
        let mut headers = tus();
        headers.insert(HeaderName::from_static("upload-length"), source.bytes.into());
        headers.insert(HeaderName::from_static("upload-metadata"), text(metadata)?);
        let answer = self.ask(Method::POST, UPLOADS, headers, Bytes::new()).await?.accepted()?;
        let location = answer.header(LOCATION.as_str()).unwrap_or_default();
        let own = self.server();
        // Another server's address would get our token.
        let path = location.strip_prefix(own.as_str()).unwrap_or(location);
        let fine = path.starts_with('/') && !path.starts_with("//");
        fine.then(|| path.to_owned()).ok_or_else(|| {
            Failure::Unreachable(format!("the server names {location:?} for the upload, which is not its own"))
        })
    }

    /// How much the server has; `None` where it no longer knows of the upload.
    async fn offset(&self, upload: &str) -> Result<Option<u64>, Failure> {
        let answer = self.ask(Method::HEAD, upload, tus(), Bytes::new()).await?;
        if matches!(answer.status.as_u16(), 403 | 404 | 410) {
            return Ok(None);
        }
        reached(&answer.accepted()?).map(Some)
    }

    /// Sends one part. The last one's answer names the record.
    async fn part(&self, source: &Source<'_>, upload: &str, offset: u64) -> Result<(u64, Option<Asset>), Failure> {
        let mut headers = tus();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/offset+octet-stream"));
        headers.insert(HeaderName::from_static("upload-offset"), offset.into());
        let answer = self.ask(Method::PATCH, upload, headers, source.part(offset)?).await?.accepted()?;
        let reached = reached(&answer)?;
        match answer.header(ASSET) {
            Some(id) if reached >= source.bytes => Ok((reached, Some(self.asset(id).await?))),
            _ => Ok((reached, None)),
        }
    }
}

fn tus() -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("tus-resumable"), HeaderValue::from_static("1.0.0"))])
}

fn text(text: String) -> Result<HeaderValue, Failure> {
    HeaderValue::try_from(text).map_err(|error| Failure::Local(error.to_string()))
}

fn reached(answer: &crate::link::Answer) -> Result<u64, Failure> {
    let offset = answer.header("upload-offset").and_then(|text| text.parse().ok());
    offset.ok_or_else(|| Failure::Unreachable("the server does not say how much it has".to_owned()))
}

/// What the server asks for, or a pause that doubles.
fn pause(failure: &Failure, tries: u32) -> Duration {
    match failure {
        Failure::Refused { retry: Some(retry), .. } => (*retry).min(LONGEST_PAUSE),
        _ => FIRST_PAUSE.saturating_mul(1 << tries.min(10)).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn an_offset_beyond_the_file_is_an_empty_part_or_an_error() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"abc").unwrap();
        let source = Source::look(file.path()).unwrap();
        assert!(source.part(4).map_or(true, |part| part.is_empty()));
        assert_eq!(source.part(1).unwrap(), b"bc"[..]);
    }
}
