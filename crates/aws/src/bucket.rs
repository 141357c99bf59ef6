//! A bucket of S3, or of a server that speaks like it: its client, and which objects of it are ours.
//!
//! Owns the keys of a config that several parts have for their buckets. Does not know what is in the objects. Invariant: a
//! key that is made here begins with the prefix.

use super::config::{Access, Patience};
use super::{Aws, Fault, Service};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};
use service::config::Reader;
use std::fmt;
use std::str::FromStr;

/// Which bucket, and where.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// Its name.
    pub bucket: BucketName,
    /// What every key begins with.
    pub prefix: Prefix,
    /// Its server, and as whom it is asked.
    pub access: Access,
    /// `http://server/bucket/key` rather than `http://bucket.server/key`; `None`: where an endpoint is given.
    pub path_style: Option<bool>,
}

impl BucketConfig {
    /// The keys of a section that has all of them beside its own; the bucket is needed there, and called such as `example`.
    pub fn read(r: &mut Reader<'_>, example: &'static str, folder: &'static str) -> Self {
        Self {
            bucket: r.required("bucket", example, "The bucket."),
            prefix: r
                .optional_parsed("prefix", folder, "What all keys begin with; ends with a slash.")
                .unwrap_or_default(),
            access: Access::read(r),
            path_style: r.optional_bool(
                "path_style",
                true,
                "http://server/bucket/key rather than http://bucket.server/key. Left out: where an endpoint is given.",
            ),
        }
    }
}

/// A bucket. Clones share its client.
#[derive(Clone, Debug)]
pub struct Bucket {
    service: Service<Client>,
    /// Its name.
    pub name: String,
    prefix: String,
}

/// Whether the SDK compares what it gets with the checksum that S3 has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Where S3 has one.
    Compared,
    /// Not: what is in the objects proves itself.
    Own,
}

impl Bucket {
    /// Nothing is asked yet, but credentials are looked for behind the start; `what` is the place in the config, for the log.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn new(
        aws: &Aws,
        config: &BucketConfig,
        patience: Patience,
        checks: Checks,
        what: &str,
    ) -> Result<Self, String> {
        aws.check(&config.access)?;
        let path_style = config.path_style;
        let service = Service::new(aws, config.access.clone(), patience, move |sdk| {
            let builder = Builder::from(sdk)
                .force_path_style(path_style.unwrap_or(sdk.endpoint_url().is_some()))
                // With less, the SDK names the algorithm that a request asks for, but sends no sum: S3 refuses that.
                .request_checksum_calculation(RequestChecksumCalculation::WhenSupported)
                .response_checksum_validation(match checks {
                    Checks::Compared => ResponseChecksumValidation::WhenSupported,
                    Checks::Own => ResponseChecksumValidation::WhenRequired,
                });
            Client::from_conf(builder.build())
        });
        service.announce(what);
        Ok(Self { service, name: config.bucket.0.clone(), prefix: config.prefix.0.clone() })
    }

    /// The client.
    ///
    /// # Errors
    /// See [`Aws::config`].
    pub async fn client(&self) -> Result<&Client, Fault> {
        self.service.client().await
    }

    /// The key of what is called `name` below the prefix.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// The name of a bucket, an access point's alias or its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketName(String);

impl FromStr for BucketName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let arn = text.starts_with("arn:") && text.bytes().all(|b| plain(b) || matches!(b, b':' | b'/'));
        let name = (3..=255).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with(['.', '-']);
        if (name && !text.contains("..")) || arn {
            Ok(Self(text.to_owned()))
        } else {
            Err("is a bucket's name of 3 or more letters, digits, - . _, or an access point's ARN")
        }
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the keys of a bucket begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let segments = || text.split('/').any(|segment| matches!(segment, "." | ".."));
        let sound = text.is_empty() || text.ends_with('/') && !text.starts_with('/') && !text.contains("//");
        if sound && !segments() && text.len() <= 512 && !text.contains(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err("is empty or ends with a slash, begins with none, and has no segment that is empty, . or ..")
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_prefixes() {
        for name in ["renditions", "a.b-c", "Old_Name", "arn:aws:s3:eu-west-1:123456789012:accesspoint/a"] {
            assert!(name.parse::<BucketName>().is_ok(), "{name}");
        }
        for name in ["", "ab", "a/b/c", "../etc", "a..b", "-abc", "a b", "s3://abc"] {
            assert!(name.parse::<BucketName>().is_err(), "{name}");
        }
        for prefix in ["", "originals/", "a/b/", "é/"] {
            assert!(prefix.parse::<Prefix>().is_ok(), "{prefix}");
        }
        for prefix in ["/", "a", "/a/", "a//", "../", "a/../b/", "a\n/"] {
            assert!(prefix.parse::<Prefix>().is_err(), "{prefix}");
        }
    }
}
