//! The decoder from outside: against libjpeg-turbo, on own pictures, on damaged files.

#[cfg(test)]
mod djpeg;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod parallel;
#[cfg(test)]
mod picture;
