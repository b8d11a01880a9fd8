//! Listing and deleting many.
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures_util::{StreamExt as _, stream};

use super::contract;
use super::subject::Subject;

async fn goes_beyond_a_thousand(subject: &Subject) {
    let names: Vec<String> = (0..1003).map(|n| format!("v{}/{n:04}", n % 3)).collect();
    stream::iter(&names)
        .for_each_concurrent(16, async |name| drop(subject.put(name, b"x").await))
        .await;
    let mut expected: Vec<String> = names.iter().map(|name| subject.key(name)).collect();
    expected.sort_unstable();
    let list = || subject.client.list_objects_v2().bucket(&subject.bucket).prefix(&subject.prefix);
    let first = list().send().await.unwrap();
    assert_eq!((first.key_count(), first.is_truncated()), (Some(1000), Some(true)));
    let tag = "\"9dd4e461268c8034f5c8564e155c67a6\"";
    assert!(first.contents().iter().all(|object| object.e_tag() == Some(tag)));
    let token = first.next_continuation_token().unwrap();
    let second = list().continuation_token(token).send().await.unwrap();
    assert_eq!(second.is_truncated(), Some(false));
    let both = first.contents().iter().chain(second.contents());
    assert_eq!(both.map(|object| object.key().unwrap()).collect::<Vec<_>>(), expected);
    let after = list().start_after(&expected[1000]).send().await.unwrap();
    assert_eq!(after.contents().len(), 2);

    // All of them in two calls, and one that is not there.
    let mut missing = vec![subject.key("missing")];
    missing.extend(expected);
    for keys in missing.chunks(1000) {
        let named = |key: &String| ObjectIdentifier::builder().key(key).build().unwrap();
        let delete = Delete::builder().set_objects(Some(keys.iter().map(named).collect()));
        let delete = delete.build().unwrap();
        let deleted = subject.client.delete_objects().bucket(&subject.bucket).delete(delete);
        let deleted = deleted.send().await.unwrap();
        assert_eq!(deleted.errors().len(), 0);
        assert_eq!(deleted.deleted().len(), keys.len());
    }
    assert_eq!(list().send().await.unwrap().key_count(), Some(0));
}

async fn is_in_the_order_of_bytes(subject: &Subject) {
    let names = ["a-b", "a.b", "a/b", "a/c/d", "a0", "b/x", "c"];
    for name in names {
        subject.put(name, b"x").await;
    }
    let list = || subject.client.list_objects_v2().bucket(&subject.bucket);
    let all = list().prefix(&subject.prefix).send().await.unwrap();
    let keys = names.map(|name| subject.key(name));
    assert_eq!(all.contents().iter().map(|o| o.key().unwrap()).collect::<Vec<_>>(), keys);
    // Page by page, with what has a folder's name rolled up.
    let mut rolled = Vec::new();
    let mut token = None;
    loop {
        let page = list().prefix(&subject.prefix).delimiter("/").max_keys(1);
        let page = page.set_continuation_token(token).send().await.unwrap();
        rolled.extend(page.contents().iter().map(|o| o.key().unwrap().to_owned()));
        rolled.extend(page.common_prefixes().iter().map(|p| p.prefix().unwrap().to_owned()));
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(rolled, ["a-b", "a.b", "a/", "a0", "b/", "c"].map(|name| subject.key(name)));
    let below = list().prefix(subject.key("a/")).delimiter("/").send().await.unwrap();
    assert_eq!((below.contents().len(), below.common_prefixes().len()), (1, 1));
}

contract!(goes_beyond_a_thousand, is_in_the_order_of_bytes);
