//! Two binaries need it: a client of the platform, as the command line and standalone use it: signing in, uploads, search.
//!
//! ```no_run
//! use client::{Client, Vault};
//!
//! # async fn example() -> Result<(), client::Failure> {
//! let client = Client::new("http://127.0.0.1:8080", Vault::of_user()?)?;
//! client.sign_in("ann@example.org", "correct horse battery staple").await?;
//! let asset = client.upload("tom.jpg".as_ref(), "cats/tom.jpg", &|_progress| {}).await?;
//! println!("{} is {}", asset.path, asset.id);
//! # Ok(())
//! # }
//! ```
//! Knows no terminal: whoever calls shows progress. Invariant: tokens are in a file that only its user can read, and a
//! refresh token is used once, also where several processes share the file.

mod asset;
mod failure;
mod import;
mod journal;
mod link;
mod search;
mod session;
mod upload;
mod vault;
mod walk;

pub use asset::{Asset, Changes, Content, Page};
pub use failure::{Failure, FieldError, Problem};
pub use import::{Import, Outcome, Step, Summary};
pub use link::Answer;
pub use search::{Found, Hit};
pub use session::{Account, Client};
pub use upload::Progress;
pub use vault::Vault;
