//! Secrets in AWS Secrets Manager, as moto has it: read at the start, rotated while requests are served, out of reach.

use crate::server::sets;
use signature::{Key, Request, sign};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::s3::Moto;
use testkit::{Connection, Folder, Process, picture, wire};

const BINARY: &str = env!("CARGO_BIN_EXE_tintype");
const SECRETS: [&str; 3] = [
    "the first secret of Secrets Manager, long",
    "the second secret of Secrets Manager",
    "the third secret of Secrets Manager",
];

fn tell(moto: &Moto, act: &str, body: &serde_json::Value) {
    let body = body.to_string();
    let target = format!("secretsmanager.{act}");
    let scope =
        "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=x";
    let head = format!(
        "POST / HTTP/1.1\r\nhost: secretsmanager.us-east-1.amazonaws.com\r\nx-amz-target: {target}\r\nauthorization: {scope}\r\n\
         content-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = Connection::open(moto.address).expect("it listens");
    connection.send(head.as_bytes()).expect("it takes it");
    let reply = connection.reply("POST").expect("it answers");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

fn signed(secret: &str) -> String {
    let key = Key::new("k1", "default", secret.as_bytes()).expect("a long secret");
    let request = Request { method: "GET", host: None, path: "/img/a.png", query: Some("w=20") };
    sign(&key, &request, None).expect("nothing forbids it")
}

#[test]
fn they_rotate() {
    let Some(moto) = Moto::start(&[]) else { return };
    let text = |secret: &str| serde_json::json!({ "k1": secret, "other": "value" }).to_string();
    tell(&moto, "CreateSecret", &serde_json::json!({ "Name": "tintype/signing", "SecretString": text(SECRETS[0]) }));
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    let endpoint = format!("secrets.aws.endpoint=http://{}", moto.address);
    let sets = sets(
        &folder,
        &[
            "signing.keys.0.kid=k1",
            "signing.keys.0.secret_name=tintype/signing",
            "signing.keys.0.secret_field=k1",
            "secrets.refresh=100ms",
            "secrets.check=50ms",
            "secrets.aws.access_key_id=x",
            "secrets.aws.secret_access_key=a-secret-of-the-cloud",
            &endpoint,
        ],
    );
    let process = Process::serve(Path::new(BINARY), &sets);
    let targets = SECRETS.map(signed);
    let statuses = || targets.each_ref().map(|target| wire::get(process.address, target, &[]).status);
    assert_eq!(statuses(), [200, 403, 403]);
    for (number, expected) in [(1, [200, 200, 403]), (2, [403, 200, 200])] {
        let put = serde_json::json!({ "SecretId": "tintype/signing", "SecretString": text(SECRETS[number]) });
        tell(&moto, "PutSecretValue", &put);
        process.until_logged("a secret in AWS Secrets Manager has changed", number);
        process.until_logged("configuration read again", number);
        assert_eq!(statuses(), expected, "the current one and that before it");
    }

    let mut command = Command::new(BINARY);
    command.args(["sign", "/img/a.png?w=20"]).args(sets.iter().flat_map(|set| ["--set", set]));
    let output = command.output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), targets[2], "{output:?}");

    drop(moto);
    process.until_logged("those in force stay", 1);
    assert_eq!(statuses(), [403, 200, 200], "while it does not answer, what is known holds");
    let output = Command::new(BINARY).arg("check-config").args(sets.iter().flat_map(|set| ["--set", set])).output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    process.terminate();
    let (_, log) = process.wait(Duration::from_secs(60));
    for secret in SECRETS.iter().chain(&["a-secret-of-the-cloud"]) {
        assert!(!log.contains(secret) && !format!("{output:?}").contains(secret), "{log}");
    }
}
