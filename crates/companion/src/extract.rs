//! Strict readers of bodies, queries and paths: what is wrong is named with its field, its value and what is allowed.
//!
//! Knows no field. Invariants: no answer here is any but a problem document; types that deny unknown fields are believed to.

use crate::body;
use crate::problem::{FieldError, Problem, code, shorten};
use axum::body::Body;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts};
use axum::response::{IntoResponse, Response};
use http::Request;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

/// Bytes of a JSON body; what is larger is no matter of fields.
const JSON_LIMIT: u64 = 4 << 20;

/// A JSON body, read strictly; and JSON as an answer.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// The query of a URL, read strictly. A name that comes several times is a list.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// The named parts of a path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        if !is_json(&head.headers) {
            let detail = "Send JSON, with Content-Type: application/json.";
            return Err(Problem::new(code::MEDIA_TYPE, detail));
        }
        let bytes = body::collect(body, JSON_LIMIT).await?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::new(code::BAD_REQUEST, format!("The body is no JSON: {error}.")))?;
        // serde would take a list for the fields of a struct, in their order.
        if !value.is_object() {
            return Err(Problem::missing("body", "a JSON object"));
        }
        serde_path_to_error::deserialize(&value).map(Self).map_err(|error| wrong("", Some(&value), &error))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], Body::from(body)).into_response()
            }
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
        let read = |text: &str| -> Result<T, Problem> {
            let reader = serde_html_form::Deserializer::from_bytes(text.as_bytes());
            serde_path_to_error::deserialize(reader).map_err(|error| {
                let pairs = pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
                wrong("query.", Some(&Value::Object(pairs)), &error)
            })
        };
        if pairs.iter().any(|(_, value)| value.is_empty()) {
            // The library takes an empty number for none at all; a blank is a text, and no number.
            let filled = |value: &str| if value.is_empty() { " ".to_owned() } else { value.to_owned() };
            let filled: Vec<(&str, String)> =
                pairs.iter().map(|(name, value)| (name.as_str(), filled(value))).collect();
            read(&serde_html_form::to_string(filled).map_err(Problem::internal)?)?;
        }
        read(query).map(Self)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => Err(match error.into_kind() {
                ErrorKind::ParseErrorAtKey { key, value, expected_type } => {
                    Problem::field(format!("path.{key}"), value, expected_type)
                }
                ErrorKind::DeserializeError { key, value, message } => {
                    Problem::field(format!("path.{key}"), value, message)
                }
                ErrorKind::InvalidUtf8InPathParam { key } => {
                    Problem::missing(format!("path.{key}"), "percent-encoded UTF-8")
                }
                kind => Problem::new(code::BAD_REQUEST, "The path cannot be read.").because(kind),
            }),
            Err(rejection) => Err(Problem::internal(rejection)),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// What a reader found wrong, with its place in what was read.
fn wrong<E: std::fmt::Display>(prefix: &str, whole: Option<&Value>, error: &serde_path_to_error::Error<E>) -> Problem {
    let message = error.inner().to_string();
    // serde names these fields in its text alone.
    let named = |start: &str| message.strip_prefix(start)?.split('`').next().map(str::to_owned);
    if let Some(name) = named("missing field `") {
        let above = match error.path().to_string() {
            path if path == "." || path == name => String::new(),
            path => format!("{}.", path.trim_end_matches(&format!(".{name}"))),
        };
        return Problem::missing(format!("{prefix}{above}{name}"), "a value: it has to be there");
    }
    let path = error.path().to_string();
    let mut field = format!("{prefix}{path}");
    let unknown = named("unknown field `");
    if path == "." {
        field = match &unknown {
            Some(name) => format!("{prefix}{name}"),
            None => if prefix.is_empty() { "body" } else { "query" }.to_owned(),
        };
    } else if let Some(name) = &unknown
        && !path.ends_with(name.as_str())
    {
        field = format!("{field}.{name}");
    }
    let allowed = match message.split_once("expected ") {
        Some((_, allowed)) if unknown.is_some() => format!("the names {}", allowed.trim_start_matches("one of ")),
        Some((_, allowed)) => allowed.to_owned(),
        None => message.clone(),
    };
    let value = if unknown.is_some() { None } else { whole.and_then(|whole| at(whole, error.path())) };
    let detail = match (&value, &unknown) {
        (_, Some(_)) => format!("{field} is not known; allowed: {allowed}"),
        (Some(value), None) => format!("{field} is {value}; allowed: {allowed}"),
        (None, None) => format!("{field}: {message}"),
    };
    Problem::new(code::BAD_FIELD, detail).with_error(FieldError { field, value, allowed })
}

/// The value at a path, as text.
fn at(whole: &Value, path: &serde_path_to_error::Path) -> Option<String> {
    let found = path.iter().try_fold(whole, |value, segment| match segment {
        Segment::Seq { index } => value.get(index),
        Segment::Map { key } => value.get(key),
        Segment::Enum { .. } | Segment::Unknown => Some(value),
    })?;
    Some(shorten(&match found {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Wanted {
        size: u8,
        #[serde(default)]
        most: Option<u8>,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        side: Side,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Side {
        Left,
        Right,
    }

    async fn body(text: &str) -> Result<Wanted, Problem> {
        let request = Request::builder().header("content-type", "application/json; charset=utf-8");
        Json::from_request(request.body(Body::from(text.to_owned())).unwrap(), &()).await.map(|Json(wanted)| wanted)
    }

    async fn query(text: &str) -> Result<Wanted, Problem> {
        let (mut parts, ()) = Request::builder().uri(format!("/x?{text}")).body(()).unwrap().into_parts();
        Query::from_request_parts(&mut parts, &()).await.map(|Query(wanted)| wanted)
    }

    fn told(problem: &Problem) -> (String, Option<String>, String) {
        let error = problem.errors().first().unwrap_or_else(|| panic!("no field in {problem}"));
        (error.field.clone(), error.value.clone(), error.allowed.clone())
    }

    #[tokio::test]
    async fn what_is_wrong_in_a_body_is_named() {
        let whole = body(r#"{"size": 3, "tags": ["a"], "inner": {"side": "left"}}"#).await.unwrap();
        assert!(whole.size == 3 && whole.tags == ["a"]);
        assert!(matches!(whole.inner, Some(Inner { side: Side::Left })));
        let (field, value, allowed) = told(&body(r#"{"size": 300}"#).await.unwrap_err());
        assert_eq!((field.as_str(), value.as_deref(), allowed.as_str()), ("size", Some("300"), "u8"));
        let (field, value, _) = told(&body(r#"{"size": 3, "tags": ["a", 7]}"#).await.unwrap_err());
        assert_eq!((field.as_str(), value.as_deref()), ("tags[1]", Some("7")));
        let (field, _, allowed) = told(&body(r#"{"size": 3, "tag": []}"#).await.unwrap_err());
        assert_eq!(field, "tag");
        assert!(allowed.contains("`tags`"), "{allowed}");
        let (field, value, _) = told(&body(r#"{"tags": []}"#).await.unwrap_err());
        assert_eq!((field.as_str(), value), ("size", None));
        let (field, value, allowed) = told(&body(r#"{"size": 1, "inner": {"side": "up"}}"#).await.unwrap_err());
        assert_eq!((field.as_str(), value.as_deref()), ("inner.side", Some("up")));
        assert!(allowed.contains("`left` or `right`"), "{allowed}");
        let (field, ..) = told(&body(r#"{"size": 1, "inner": {}}"#).await.unwrap_err());
        assert_eq!(field, "inner.side");
        for list in ["[]", "[3, []]"] {
            assert_eq!(told(&body(list).await.unwrap_err()).0, "body", "fields have names");
        }
    }

    #[tokio::test]
    async fn what_is_no_json_is_told_apart() {
        assert_eq!(body("{").await.unwrap_err().code(), code::BAD_REQUEST);
        let request = Request::builder().header("content-type", "text/plain").body(Body::from("{}")).unwrap();
        let refused = Json::<Wanted>::from_request(request, &()).await.unwrap_err();
        assert_eq!(refused.code(), code::MEDIA_TYPE);
    }

    #[tokio::test]
    async fn queries_are_as_strict_and_have_lists() {
        assert_eq!(query("size=3&tags=a&tags=b%20c").await.unwrap().tags, ["a", "b c"]);
        let (field, value, _) = told(&query("size=big").await.unwrap_err());
        assert_eq!((field.as_str(), value.as_deref()), ("query.size", Some("big")));
        assert_eq!(told(&query("size=3&colour=red").await.unwrap_err()).0, "query.colour");
        assert_eq!(told(&query("").await.unwrap_err()).0, "query.size");
        assert!(query("size=1&size=2").await.is_err(), "one value, or a list");
        let (field, value, _) = told(&query("size=3&most=").await.unwrap_err());
        assert_eq!((field.as_str(), value.as_deref()), ("query.most", Some("")));
        let sound = query("size=3&most=4&tags=").await.unwrap();
        assert_eq!((sound.most, sound.tags), (Some(4), vec![String::new()]));
    }
}
