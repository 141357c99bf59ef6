//! Cognito as moto has it: a pool, a user in a group, a sign-in; its tokens over its published keys.

use access::config::AccessConfig;
use access::{Action, Denied, Resource, Role};
use serde_json::{Value, json};
use testkit::Connection;
use testkit::s3::Moto;

/// One act of the service.
fn tell(moto: &Moto, act: &str, body: &Value) -> Value {
    let body = body.to_string();
    let scope =
        "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=x";
    let head = format!(
        "POST / HTTP/1.1\r\nhost: cognito-idp.eu-west-1.amazonaws.com\r\n\
         x-amz-target: AWSCognitoIdentityProviderService.{act}\r\nauthorization: {scope}\r\n\
         content-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = Connection::open(moto.address).expect("it listens");
    connection.send(head.as_bytes()).expect("it takes it");
    let reply = connection.reply("POST").expect("it answers");
    assert_eq!(reply.status, 200, "{act}: {}", reply.text());
    serde_json::from_str(&reply.text()).unwrap_or(Value::Null)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

#[tokio::test]
async fn its_access_tokens_are_taken_and_its_id_tokens_are_not() {
    let Some(moto) = Moto::start(&[]) else { return };
    let pool = tell(&moto, "CreateUserPool", &json!({ "PoolName": "staff" }));
    let pool = text(&pool["UserPool"], "Id");
    let flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
    let client = json!({ "UserPoolId": pool, "ClientName": "web", "ExplicitAuthFlows": flows });
    let client = tell(&moto, "CreateUserPoolClient", &client);
    let client = text(&client["UserPoolClient"], "ClientId");
    let password = "Long-enough-password-1";
    tell(&moto, "AdminCreateUser", &json!({ "UserPoolId": pool, "Username": "ann" }));
    let set = json!({ "UserPoolId": pool, "Username": "ann", "Password": password, "Permanent": true });
    tell(&moto, "AdminSetUserPassword", &set);
    tell(&moto, "CreateGroup", &json!({ "UserPoolId": pool, "GroupName": "editors" }));
    tell(&moto, "AdminAddUserToGroup", &json!({ "UserPoolId": pool, "Username": "ann", "GroupName": "editors" }));
    let asked = json!({ "UserPoolId": pool, "ClientId": client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "ann", "PASSWORD": password } });
    let given = tell(&moto, "AdminInitiateAuth", &asked);
    let tokens = &given["AuthenticationResult"];

    let door = |audience: &str| {
        let sets = [
            "issuers.0.name=staff".to_owned(),
            "issuers.0.sort=cognito".to_owned(),
            // The issuer is Amazon's; the keys are where moto publishes them.
            format!("issuers.0.issuer=https://cognito-idp.eu-west-1.amazonaws.com/{pool}"),
            format!("issuers.0.jwks=http://{}/{pool}/.well-known/jwks.json", moto.address),
            format!("issuers.0.audiences={audience}"),
            "issuers.0.tenant=acme".to_owned(),
            "issuers.0.roles.editors=editor".to_owned(),
        ];
        let config = service::config::load::<AccessConfig>(None, [], &sets).expect("a sound config").config;
        config.door(None).expect("a door")
    };
    let here = door(client);
    let caller = here.bearer(text(tokens, "AccessToken")).await.unwrap();
    assert!(caller.is(Role::Editor) && caller.subject.starts_with("staff|"), "{caller:?}");
    here.may(&caller, Action::AssetEdit, &Resource::asset("acme", "a.jpg")).unwrap();
    assert!(here.may(&caller, Action::AssetEdit, &Resource::asset("other", "a.jpg")).is_err());
    assert!(matches!(here.bearer(text(tokens, "IdToken")).await, Err(Denied::Token(_))));
    assert!(matches!(door("another").bearer(text(tokens, "AccessToken")).await, Err(Denied::Token(_))));
}
