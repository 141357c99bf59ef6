//! The OpenAPI document: what handlers say, completed by what holds for all of them.
//!
//! Knows no route. Invariant: every operation names the refusals that any request can meet.

use crate::problem::Document;
use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::collections::HashSet;
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Content, InfoBuilder, OpenApi, PathItem, Ref, RefOr, Required, Schema};
use utoipa::{PartialSchema as _, ToSchema as _};

/// The name of the only security scheme: an access token, or an API key.
const BEARER: &str = "bearer";

/// Refusals that any request can meet.
const ANYWHERE: [(&str, &str); 4] = [
    ("400", "The request cannot be read, or a field has a value that is not allowed."),
    ("429", "Too many requests; Retry-After says when there is room."),
    ("500", "Something broke on the server."),
    ("503", "It cannot be done at the moment; Retry-After may say when."),
];

/// Where the document is.
pub(crate) fn path(name: &str) -> String {
    format!("/{name}/v1/openapi.json")
}

/// Adds a route to the document.
pub(crate) fn serve(router: Router, name: &str, api: &OpenApi) -> Router {
    let document = Bytes::from(api.to_json().expect("the document has texts as keys"));
    let answer = move || async move { ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], document) };
    router.route(&path(name), get(answer))
}

/// Names the service, its security, and the refusals that any request can meet.
pub(crate) fn complete(mut api: OpenApi, name: &str, about: &str) -> OpenApi {
    // axum's way of writing "all the rest" is none of OpenAPI's.
    let paths = std::mem::take(&mut api.paths.paths).into_iter();
    api.paths.paths = paths.map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    let info = InfoBuilder::new().title(format!("tintype-{name}")).version(env!("CARGO_PKG_VERSION"));
    api.info = info.description(Some(about)).build();
    let components = api.components.get_or_insert_with(Components::new);
    let mut schemas = vec![(Document::name().into_owned(), Document::schema())];
    Document::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT, or an API key");
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
    for operation in api.paths.paths.values_mut().flat_map(operations_mut) {
        for parameter in operation.parameters.iter_mut().flatten() {
            if let RefOr::T(parameter) = parameter {
                settle(parameter);
            }
        }
        let documented = &mut operation.responses.responses;
        for (status, description) in ANYWHERE {
            documented.entry(status.to_owned()).or_insert_with(|| refusal(description));
        }
        let default = || refusal("Any other refusal.");
        documented.entry("default".to_owned()).or_insert_with(default);
        for (status, response) in documented {
            let refusal = status.starts_with(['4', '5']);
            if let (true, RefOr::T(response)) = (refusal, response)
                && response.content.is_empty()
            {
                response.content.insert(PROBLEM.to_owned(), content().into());
            }
        }
        if let Some(body) = operation.request_body.as_mut().and_then(|body| match body {
            RefOr::T(body) => Some(body),
            RefOr::Ref(_) => None,
        }) {
            body.required.get_or_insert(Required::True);
        }
    }
    api
}

/// What headers have that all companions read alike.
const HEADERS: [(&str, &str); 3] =
    [("If-Match", r#"^("r[1-9][0-9]{0,17}"|\*)$"#), ("If-None-Match", r"^\*$"), ("Idempotency-Key", "^[!-~]{1,255}$")];

/// A parameter is there or not, and is never null; what all companions read alike is told of all alike.
fn settle(parameter: &mut Parameter) {
    let Some(schema) = parameter.schema.take() else { return };
    let mut schema = without_null(schema);
    let pattern = HEADERS.into_iter().find(|(name, _)| *name == parameter.name).map(|(_, pattern)| pattern);
    if let (Some(pattern), RefOr::T(Schema::Object(object))) = (pattern, &mut schema) {
        object.pattern = Some(pattern.to_owned());
    }
    parameter.schema = Some(schema);
}

fn without_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    let is_null = |schema: &RefOr<Schema>| matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null));
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Array(types) = &object.schema_type
                && let [one] = types.iter().filter(|kind| **kind != Type::Null).collect::<Vec<_>>()[..]
            {
                object.schema_type = SchemaType::Type(one.clone());
            }
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::OneOf(mut one)) => {
            one.items.retain(|item| !is_null(item));
            match &one.items[..] {
                [only] => only.clone(),
                _ => RefOr::T(Schema::OneOf(one)),
            }
        }
        other => other,
    }
}

/// Operations that change something, or are of a protocol of its own (HEAD), and are for somebody only: by method and path as it is routed.
pub(crate) fn closed(api: &OpenApi) -> HashSet<(Method, String)> {
    let open = |operation: &Operation| {
        let written = |requirement| serde_json::to_value(requirement).unwrap_or_default();
        let requirements = operation.security.iter().flatten();
        operation.security.is_none()
            || requirements.map(written).any(|requirement| requirement == serde_json::json!({}))
    };
    let of = |(path, item): (&String, &PathItem)| {
        let PathItem { put, post, delete, patch, head, .. } = item;
        let all = [
            (Method::HEAD, head),
            (Method::PUT, put),
            (Method::POST, post),
            (Method::DELETE, delete),
            (Method::PATCH, patch),
        ];
        let closed = all.into_iter().filter(|(_, operation)| operation.as_ref().is_some_and(|one| !open(one)));
        closed.map(|(method, _)| (method, path.clone())).collect::<Vec<_>>()
    };
    api.paths.paths.iter().flat_map(of).collect()
}

const PROBLEM: &str = "application/problem+json";

fn content() -> Content {
    Content::new(Some(Ref::from_schema_name(Document::name())))
}

fn refusal(description: &str) -> RefOr<utoipa::openapi::Response> {
    ResponseBuilder::new().description(description).content(PROBLEM, content()).build().into()
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, .. } = item;
    [get, put, post, delete, options, head, patch].into_iter().flatten()
}

/// The methods that an item documents.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn methods(item: &PathItem) -> Vec<&'static str> {
    let PathItem { get, put, post, delete, options, head, patch, .. } = item;
    let all = [
        ("GET", get),
        ("PUT", put),
        ("POST", post),
        ("DELETE", delete),
        ("OPTIONS", options),
        ("HEAD", head),
        ("PATCH", patch),
    ];
    all.into_iter().filter(|(_, operation)| operation.is_some()).map(|(method, _)| method).collect()
}
