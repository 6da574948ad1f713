//! What answers when no route does: a problem that tells an unknown address from a known one
//! asked with the wrong method.

use actix_web::dev::ResourceDef;
use actix_web::{HttpRequest, web};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use super::problem::{ApiError, ApiResult};
use crate::domain::problem::{Code, Problem};

/// The addresses of the API and the methods each is served with.
pub struct KnownPaths(Vec<(ResourceDef, String)>);

impl KnownPaths {
    pub fn new(document: &OpenApi) -> KnownPaths {
        let paths = document.paths.paths.iter();
        KnownPaths(
            paths
                .map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item)))
                .collect(),
        )
    }
}

fn methods(item: &PathItem) -> String {
    let served = [
        ("GET", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("PUT", item.put.is_some()),
        ("PATCH", item.patch.is_some()),
        ("DELETE", item.delete.is_some()),
    ];
    let names: Vec<_> = served
        .iter()
        .filter(|(_, yes)| *yes)
        .map(|(name, _)| *name)
        .collect();
    names.join(", ")
}

/// The default service.
///
/// # Errors
/// Always: 405 for a known address, 404 for any other.
pub async fn fallback(
    request: HttpRequest,
    known: web::Data<KnownPaths>,
) -> ApiResult<&'static str> {
    let path = request.path();
    match known.0.iter().find(|(pattern, _)| pattern.is_match(path)) {
        Some((_, methods)) => Err(ApiError::method_not_allowed(methods.clone())),
        None => Err(Problem::on(Code::NotFound, "path").into()),
    }
}
