//! The handlers: who asks, what for, what was kept, what the index says.

use crate::Desk;
use crate::answer::{Assets, Dressing, Suggestions};
use crate::ask::{Ask, ColourOf, DISTANCE, problem, text};
use crate::metric::From;
use crate::reach;
use access::Action;
use axum::extract::State;
use companion::{Caller, Json, Problem, Query, code};
use finder::{Alike, ColourName, Facet, FinderError, Orientation, Prompt, Reach, Sort};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;
use utoipa::{IntoParams, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// What parameters have, which the routes do not collect by themselves.
#[derive(OpenApi)]
#[openapi(components(schemas(ColourOf, ColourName, Facet, Orientation, Sort)))]
struct Named;

pub(crate) fn router(desk: Arc<Desk>) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Named::openapi())
        .routes(routes!(assets))
        .routes(routes!(similar))
        .routes(routes!(suggest))
        .with_state(desk)
}

/// Finds assets.
///
/// Only what the caller may read is found, counted and listed. Equal ones go by when they were made, the last first.
#[utoipa::path(get, path = "/search/v1/assets", tag = "search", params(Ask), security((), ("bearer" = [])), responses(
    (status = 200, description = "One page.", body = Assets),
    (status = 401, description = "Nobody is signed in, and nothing is public; or the proof does not hold."),
    (status = 403, description = "The caller may not search, or not by place."),
    (status = 404, description = "There is no such asset to be similar to, or none that the caller may know of."),
    (status = 409, description = "The asset to be similar to has no structure to compare."),
))]
async fn assets(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(ask): Query<Ask>,
) -> Result<Json<Assets>, Problem> {
    desk.assets(&caller, &ask).await.map(Json)
}

/// What an asset is compared with.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Like {
    /// The asset.
    to: Uuid,
    /// Most bits of the perceptual hash that differ, 0 to 15; 10 by itself.
    #[param(maximum = 15)]
    distance: Option<u8>,
    /// Assets of a page; 50 by itself.
    #[param(maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Finds assets that look like one, the most alike first, without that one.
#[utoipa::path(get, path = "/search/v1/similar", tag = "search", params(Like), security((), ("bearer" = [])), responses(
    (status = 200, description = "One page.", body = Assets),
    (status = 401, description = "Nobody is signed in, and nothing is public; or the proof does not hold."),
    (status = 403, description = "The caller may not search."),
    (status = 404, description = "There is no such asset, or none that the caller may know of."),
    (status = 409, description = "The asset has no structure to compare."),
))]
async fn similar(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(like): Query<Like>,
) -> Result<Json<Assets>, Problem> {
    let Like { to, distance, limit, cursor } = like;
    let sort = Some(Sort::Likeness);
    let ask = Ask { similar_to: Some(to), distance, limit, cursor, sort, ..Ask::default() };
    desk.assets(&caller, &ask).await.map(Json)
}

/// What is being typed.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Typed {
    /// As typed so far.
    #[param(max_length = 200)]
    q: String,
    /// Most proposals; 10 by itself.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<usize>,
    /// Only of this tenant, of those that the caller reaches.
    tenant: Option<String>,
}

/// Completes what is being typed, by tags and words of titles that the caller may see.
#[utoipa::path(get, path = "/search/v1/suggest", tag = "search", params(Typed), security((), ("bearer" = [])), responses(
    (status = 200, description = "Proposals, the most frequent first.", body = Suggestions),
    (status = 401, description = "Nobody is signed in, and nothing is public; or the proof does not hold."),
    (status = 403, description = "The caller may not search."),
))]
async fn suggest(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(typed): Query<Typed>,
) -> Result<Json<Suggestions>, Problem> {
    desk.suggest(&caller, &typed).await.map(Json)
}

impl Desk {
    /// What the caller reaches; a refusal where that is nothing.
    fn reach(&self, caller: &Caller, tenant: Option<&str>) -> Result<Reach, Problem> {
        let decided = self.door.reach(caller, Action::AssetSearch);
        if decided.is_nothing() {
            return Err(if caller.is_anonymous() {
                Problem::new(code::UNAUTHORIZED, "Sign in to search here.")
            } else {
                Problem::new(code::FORBIDDEN, "There is nothing here that you may search.")
            });
        }
        Ok(reach::of(&tenant.map_or_else(|| decided.clone(), |tenant| decided.within(tenant))))
    }

    /// The answer that was kept, or else the one that is computed, which is kept then.
    async fn kept_or<T: Serialize + DeserializeOwned>(
        &self,
        reach: &Reach,
        kind: &str,
        question: &impl Serialize,
        compute: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let question = serde_json::to_string(question).map_err(Problem::internal)?;
        let name = self.kept.name(&*self.finder, reach, kind, &question).await;
        if let Some(name) = name
            && let Some(answer) = self.kept.get(name, &self.metrics).await
        {
            return Ok(answer);
        }
        let answer = compute.await?;
        self.metrics.answered(From::Index);
        if let Some(name) = name {
            self.kept.put(name, &answer);
        }
        Ok(answer)
    }

    async fn assets(&self, caller: &Caller, ask: &Ask) -> Result<Assets, Problem> {
        let reach = self.reach(caller, ask.tenant.as_deref())?;
        let mut query = ask.query(reach.clone(), &self.config)?;
        let compute = async {
            if let Some(id) = ask.similar_to {
                let within = ask.distance.unwrap_or(DISTANCE);
                query.alike = Some(Alike { hash: self.hash(&reach, id).await?, within });
                query.without = Some(id);
            } else if ask.distance.is_some() {
                return Err(Problem::missing("query.similarTo", "an asset, beside distance"));
            }
            let began = Instant::now();
            let hits = self.in_time(self.finder.search(&query)).await?;
            let took = began.elapsed();
            self.metrics.asked(took);
            let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
            let dressing = Dressing { links: &self.links, config: &self.config, reach: &reach, now };
            Ok(dressing.assets(hits, (took.as_secs_f64() * 1e5).round() / 1e2))
        };
        self.kept_or(&reach, "assets", ask, compute).await
    }

    async fn suggest(&self, caller: &Caller, typed: &Typed) -> Result<Suggestions, Problem> {
        let reach = self.reach(caller, typed.tenant.as_deref())?;
        text(&typed.q, &self.config)?;
        let compute = async {
            let mut prompt = Prompt::new(reach.clone(), &typed.q);
            prompt.limit = typed.limit.unwrap_or(prompt.limit);
            Ok(Suggestions { suggestions: self.in_time(self.finder.suggest(&prompt)).await? })
        };
        self.kept_or(&reach, "suggest", typed, compute).await
    }

    /// The perceptual hash of an asset within reach.
    async fn hash(&self, reach: &Reach, id: Uuid) -> Result<u64, Problem> {
        let found = self.in_time(self.finder.get(reach, &[id])).await?;
        let document = found.first().ok_or_else(|| Problem::not_found("asset of this id"))?;
        let flat = || Problem::new(code::CONFLICT, "This picture has no structure to compare others with.");
        document.phash.ok_or_else(flat)
    }

    async fn in_time<T>(&self, answer: finder::Answer<'_, T>) -> Result<T, Problem> {
        let answered = tokio::time::timeout(self.config.deadline, answer).await;
        answered.unwrap_or(Err(FinderError::TimedOut)).map_err(problem)
    }
}
