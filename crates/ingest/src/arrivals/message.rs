//! What is in a message about new objects: S3's own, through SNS, or EventBridge's.
//!
//! Pure. Invariant: what cannot be read names nothing.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The keys of the objects that a message tells of.
pub(super) fn keys(body: &str) -> Vec<String> {
    let Ok(message) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    // SNS puts the message into a text.
    if let Some(inner) = message.get("Message").and_then(Value::as_str) {
        return keys(inner);
    }
    let records = message.get("Records").and_then(Value::as_array).into_iter().flatten();
    let created =
        records.filter(|record| record["eventName"].as_str().is_some_and(|name| name.contains("ObjectCreated")));
    let mut all: Vec<String> =
        created.filter_map(|record| record["s3"]["object"]["key"].as_str()).map(decoded).collect();
    if message["detail-type"] == "Object Created"
        && let Some(key) = message["detail"]["object"]["key"].as_str()
    {
        // EventBridge does not escape.
        all.push(key.to_owned());
    }
    all
}

/// S3 escapes keys as forms do.
fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn messages_are_understood() {
        let s3 = r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"up%2F1+a.png"}}},
            {"eventName":"ObjectRemoved:Delete","s3":{"object":{"key":"gone"}}}]}"#;
        assert_eq!(keys(s3), ["up/1 a.png"]);
        let sns = serde_json::json!({ "Type": "Notification", "Message": s3 }).to_string();
        assert_eq!(keys(&sns), ["up/1 a.png"]);
        let bridge = r#"{"detail-type":"Object Created","detail":{"object":{"key":"up/1+a.png"}}}"#;
        assert_eq!(keys(bridge), ["up/1+a.png"]);
        for other in
            ["", "{}", "[]", "null", r#"{"Event":"s3:TestEvent"}"#, r#"{"Records":[{}]}"#, r#"{"Message":"x"}"#]
        {
            assert!(keys(other).is_empty(), "{other}");
        }
    }
}
