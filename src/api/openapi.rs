//! The API described for machines: OpenAPI 3.1 at `/openapi.json`, readable at `/docs/`.

use actix_web::{App, HttpResponse, web};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, ContactBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Where the document is served.
pub const DOCUMENT_PATH: &str = "/openapi.json";

/// The whole API, collected from the routes.
pub fn document() -> OpenApi {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(base())
        .configure(super::routes)
        .split_for_parts();
    document
}

/// What stands in the document beside the routes.
pub fn base() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An access token; its role decides what it opens."))
        .build();
    let signature = ApiKeyValue::with_description(
        "Signature",
        "RFC 9421 over @method, @authority, @path, content-type and content-digest, with created \
         and a nonce; Ed25519 or HMAC-SHA256.",
    );
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("碳普惠平台 tanpuhui")
                .version(super::version::VERSIONS[0])
                .description(Some(
                    "Behaviour in; reductions, points and certified units out. Refusals are \
                     RFC 9457 problems; /api/problems lists their codes.",
                ))
                .contact(Some(ContactBuilder::new().name(Some("tanpuhui")).build()))
                .build(),
        )
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme("bearer", SecurityScheme::Http(bearer))
                .security_scheme(
                    "signature",
                    SecurityScheme::ApiKey(ApiKey::Header(signature)),
                )
                .build(),
        ))
        .build()
}

/// Serves the document and its reader, which loads nothing from outside.
pub fn routes(document: &OpenApi) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let text = web::Bytes::from(document.to_json().unwrap_or_default());
    move |services| {
        let answer = move || {
            let text = text.clone();
            async move {
                HttpResponse::Ok()
                    .content_type("application/json")
                    .body(text)
            }
        };
        services
            .route(DOCUMENT_PATH, web::get().to(answer))
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").config(Config::new([DOCUMENT_PATH])));
    }
}
