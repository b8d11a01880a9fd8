//! Clients of pinning services, against a service that follows the specification and has troubles.

use std::time::Duration;

use expect_test::expect;
use reelpin_schema::cid::{Cid, FileDag};
use reelpin_schema::pin::Role;
use reelpin_schema::pinning::{
    Config, Fault, Limits, Service, ServiceError, Services, Status, advice, dialable, place,
};
use reelpin_schema::secret::Secret;
use reelpin_schema::settings::{Engines, Source};
use reelpin_testing::{DELEGATE, Mood, PinningService, TOKEN, pinning_service};
use serde_json::json;

fn cid(bytes: &[u8]) -> Cid {
    let mut dag = FileDag::new();
    dag.push(bytes);
    dag.finish().cid
}

fn config(endpoint: &str, token: &str) -> Config {
    Config {
        name: "attic".to_owned(),
        endpoint: endpoint.to_owned(),
        token: Secret::new(token),
        original: false,
    }
}

/// Short ones, but long enough for a machine with other tests beside.
const LIMITS: Limits = Limits { answer: Duration::from_secs(3), take: Duration::from_secs(3) };

async fn stage() -> (PinningService, Service) {
    let remote = pinning_service().await.unwrap();
    let service = Service::new(&config(&remote.endpoint, TOKEN), LIMITS).unwrap();
    (remote, service)
}

#[tokio::test]
async fn a_request_is_made_found_looked_at_replaced_and_removed() {
    for pinata in [false, true] {
        let (remote, service) = stage().await;
        if pinata {
            remote.like_pinata();
        }
        let (film, other) = (cid(b"film"), cid(b"other"));
        assert!(service.find(film).await.unwrap().is_empty());
        let from = ["/ip4/203.0.113.1/tcp/4001/p2p/12D3KooWNode".to_owned()];
        let made = service.add(film, Role::Published, &from).await.unwrap();
        assert_eq!((made.status, made.delegates().collect()), (Status::Queued, vec![DELEGATE]));
        let pin = &remote.held()[0].pin;
        let want = json!({ "cid": film.to_string(), "name": "reelpin published", "origins": from,
            "meta": { "app": "reelpin", "role": "published" } });
        assert_eq!(*pin, want);

        let found = service.find(film).await.unwrap();
        assert_eq!(found.iter().map(|f| &f.id).collect::<Vec<_>>(), [&made.id]);
        assert!(service.find(other).await.unwrap().is_empty());
        remote.become_all("pinned");
        let seen = service.look(&made.id, film).await.unwrap().unwrap();
        assert_eq!((seen.id.as_str(), seen.status), (made.id.as_str(), Status::Pinned));
        assert!(service.look(&made.id, other).await.unwrap().is_none(), "it keeps another content");
        assert!(service.look("never/was?", film).await.unwrap().is_none());

        let newer = service.replace(&made.id, other, Role::Published, &[]).await.unwrap();
        assert!(service.look(&made.id, film).await.unwrap().is_none());
        service.release(other).await.unwrap();
        assert!(remote.held().is_empty());
        service.remove(&newer.id).await.unwrap();
        let gone = service.replace(&newer.id, film, Role::Published, &[]).await;
        assert!(matches!(gone, Err(ServiceError::Missing { .. })), "{gone:?}");
    }
}

#[tokio::test]
async fn only_our_own_requests_are_found_and_released() {
    let (remote, service) = stage().await;
    let film = cid(b"film");
    let named = |name: &str| json!({ "cid": film.to_string(), "name": name, "meta": null });
    let theirs =
        [remote.add(named("holiday"), "pinned"), remote.add(json!({ "cid": "?" }), "pinned")];
    let ours = [
        remote.add(named("reelpin published"), "failed"),
        remote.add(named("reelpin original"), "pinned"),
    ];
    let found: Vec<_> = service.find(film).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(found, [ours[1].clone(), ours[0].clone()], "what is kept goes before what failed");
    service.release(film).await.unwrap();
    assert_eq!(remote.held().into_iter().map(|held| held.id).collect::<Vec<_>>(), theirs);
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_found() {
    let (remote, service) = stage().await;
    let film = cid(b"film");
    remote.mood(Mood::Dies);
    let lost = service.add(film, Role::Published, &[]).await;
    assert!(matches!(lost, Err(ServiceError::Unreachable { .. })), "{lost:?}");
    remote.mood(Mood::Well);
    assert_eq!(service.find(film).await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_trouble_is_told_in_words_and_is_somebodys() {
    let (remote, service) = stage().await;
    let patient = Limits { answer: Duration::from_millis(100), take: Duration::from_millis(100) };
    let hasty = Service::new(&config(&remote.endpoint, TOKEN), patient).unwrap();
    let other = Service::new(&config(&remote.endpoint, "of another"), LIMITS).unwrap();
    let nobody = Service::new(&config("http://127.0.0.1:1", TOKEN), LIMITS).unwrap();
    let failure = |reason: &str| format!(r#"{{"error":{{"reason":"{reason}"}}}}"#);
    let cases = [
        (&service, Mood::Forbids),
        (&other, Mood::Well),
        (&service, Mood::Says(403, "<html>".to_owned())),
        (&service, Mood::Busy(Some(7))),
        (&service, Mood::Busy(None)),
        (&service, Mood::Busy(Some(1_000_000))),
        (&service, Mood::Says(503, String::new())),
        (&service, Mood::Says(404, String::new())),
        (&service, Mood::Says(409, failure("INSUFFICIENT_FUNDS"))),
        (&service, Mood::Says(400, failure("BAD\\nREQUEST"))),
        (&service, Mood::Says(500, "at line 1".to_owned())),
        (&service, Mood::Says(200, "{}".to_owned())),
        (&service, Mood::Says(200, "x".repeat(2 << 20))),
        (&service, Mood::Points("http://127.0.0.1:1/elsewhere".to_owned())),
        (&hasty, Mood::Slow(Duration::from_secs(2))),
        (&nobody, Mood::Well),
    ];
    let mut told = String::new();
    for (service, mood) in cases {
        remote.mood(mood);
        let error = service.find(cid(b"film")).await.unwrap_err();
        assert!(!format!("{error:?} {service:?}").contains(TOKEN));
        let fault: Fault = error.fault();
        told += &format!("{error}: {fault:?}\n");
    }
    expect![[r#"
        the token of pinning service attic is refused (401): UNAUTHORIZED: the token has expired: Settings
        the token of pinning service attic is refused (401): UNAUTHORIZED: another token is due: Settings
        the token of pinning service attic is refused (403): Settings
        pinning service attic is busy (429): TOO_MANY: slow down: Later(Some(7s))
        pinning service attic is busy (429): TOO_MANY: slow down: Later(None)
        pinning service attic is busy (429): TOO_MANY: slow down: Later(Some(3600s))
        pinning service attic is busy (503): Later(None)
        pinning service attic knows no such request (404); is its endpoint right?: Service
        pinning service attic refuses for lack of funds or room (409): INSUFFICIENT_FUNDS: Service
        pinning service attic refuses (400): BAD REQUEST: Service
        pinning service attic is in trouble (500): Service
        the answer of pinning service attic to GET /pins is not understood: Service
        an answer of pinning service attic is longer than 1048576 bytes: Service
        pinning service attic points elsewhere (307): set its endpoint to that address: Settings
        pinning service attic took longer than 100ms: Later(None)
        pinning service attic cannot be reached: Later(None)
    "#]].assert_eq(&told);
}

#[tokio::test]
async fn a_service_has_two_turns_and_an_unknown_one_is_told() {
    let all = Services::new(&[config("http://127.0.0.1:1", TOKEN)], LIMITS).unwrap();
    let (first, second) = (all.turn("attic").unwrap(), all.turn("attic").unwrap());
    assert!(first.is_some() && second.is_some() && all.turn("attic").unwrap().is_none());
    drop(first);
    assert!(all.turn("attic").unwrap().is_some());
    expect!["REELPIN_PIN_SERVICES names no service cellar any more"]
        .assert_eq(&all.turn("cellar").unwrap_err().to_string());
    assert_eq!(all.pins(Role::Published, "b").len(), 1);
    assert!(all.pins(Role::Original, "b").is_empty());
}

#[test]
fn a_service_is_told_what_it_can_dial() {
    let all = [
        "/ip4/127.0.0.1/tcp/4001/p2p/N",
        "/ip4/10.1.2.3/tcp/4001/p2p/N",
        "/ip4/100.64.0.1/tcp/4001/p2p/N",
        "/ip4/8.8.8.8/tcp/4001/p2p/N",
        "/ip4/8.8.8.8/tcp/4001/p2p/R/p2p-circuit/p2p/N",
        "/ip6/::1/tcp/4001/p2p/N",
        "/ip6/fd00::1/tcp/4001/p2p/N",
        "/ip6/::ffff:10.0.0.1/tcp/4001/p2p/N",
        "/ip6/2001:db8::1/tcp/4001/p2p/N",
        "/ip6/2600::1/udp/4001/quic-v1/p2p/N",
        "/dns4/node.example.com/tcp/4001/p2p/N",
        "/dns4/node.local/tcp/4001/p2p/N",
        "/p2p/N",
        "",
    ];
    let all = all.map(str::to_owned);
    expect![[r#"
        /ip4/8.8.8.8/tcp/4001/p2p/N
        /ip4/8.8.8.8/tcp/4001/p2p/R/p2p-circuit/p2p/N
        /ip6/2600::1/udp/4001/quic-v1/p2p/N
        /dns4/node.example.com/tcp/4001/p2p/N"#]]
    .assert_eq(&dialable(&all, false).join("\n"));
    assert_eq!(dialable(&all, true).len(), all.len());
    assert_eq!(advice("attic", &all, false), None);
    assert_eq!(advice("attic", &all[..1], true), None);
    expect!["the node has only private or loopback addresses: attic cannot fetch from it unless the node itself can reach the service; open the node's swarm port to the internet and let it announce its public address, or, for the local node, set REELPIN_IPFS_NETWORK=public"]
        .assert_eq(&advice("attic", &all[..3], false).unwrap());
}

#[test]
fn the_place_of_a_services_task_stays() {
    assert_eq!(place("pinata", Role::Published), 451_567_040);
    assert_eq!(place("pinata", Role::Original), 451_567_041);
}

/// Reads these settings beside a node's; returns the services and what was refused.
fn read(values: &[(&str, &str)]) -> (String, String, Vec<String>) {
    let env = values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    let rest = "database_url = 'd'\ns3_endpoint = 'e'\ns3_bucket = 'b'\ns3_access_key = 'a'\ns3_secret_key = 's'";
    let mut source = Source::new(env, Some(rest)).unwrap();
    let engines = Engines::read(&mut source);
    let unknown = source.unknown().into_iter().map(str::to_owned).collect();
    let services = engines.ipfs.map(|ipfs| format!("{:?}", ipfs.services)).unwrap_or_default();
    (services, source.done().err().map(|e| e.to_string()).unwrap_or_default(), unknown)
}

#[test]
fn services_are_read_and_what_is_wrong_is_told() {
    const NODE: [(&str, &str); 2] =
        [("REELPIN_IPFS_RPC", "http://127.0.0.1:5001"), ("REELPIN_PIN_ORIGINAL", "false")];
    let with = |more: &[(&'static str, &'static str)]| [NODE.as_slice(), more].concat();
    let (services, wrong, unknown) = read(&with(&[
        ("REELPIN_PIN_SERVICES", "pinata, my-attic"),
        ("REELPIN_PIN_PINATA_ENDPOINT", "https://api.pinata.cloud/psa/"),
        ("REELPIN_PIN_PINATA_TOKEN", "hush"),
        ("REELPIN_PIN_MY_ATTIC_ENDPOINT", "http://127.0.0.1:9/pins-api"),
        ("REELPIN_PIN_MY_ATTIC_TOKEN", "hush"),
        ("REELPIN_PIN_OTHER_TOKEN", "hush"),
    ]));
    assert_eq!(
        (wrong.as_str(), unknown.as_slice()),
        ("", ["REELPIN_PIN_OTHER_TOKEN".to_owned()].as_slice())
    );
    expect![[r#"[Config { name: "pinata", endpoint: "https://api.pinata.cloud/psa", token: Secret(...), original: false }, Config { name: "my-attic", endpoint: "http://127.0.0.1:9/pins-api", token: Secret(...), original: false }]"#]].assert_eq(&services);

    let (_, wrong, _) = read(&with(&[
        ("REELPIN_PIN_SERVICES", "node,Big,a,a,a-b,a_b,bare,plain,user,query,gives"),
        ("REELPIN_PIN_A_ENDPOINT", "https://a.example"),
        ("REELPIN_PIN_A_TOKEN", "hush"),
        ("REELPIN_PIN_A_B_ENDPOINT", "a.example"),
        ("REELPIN_PIN_A_B_TOKEN", "hush"),
        ("REELPIN_PIN_PLAIN_ENDPOINT", "http://a.example"),
        ("REELPIN_PIN_PLAIN_TOKEN", "hush"),
        ("REELPIN_PIN_USER_ENDPOINT", "https://u:hush@a.example"),
        ("REELPIN_PIN_USER_TOKEN", "hush"),
        ("REELPIN_PIN_QUERY_ENDPOINT", "https://a.example/?q=hush"),
        ("REELPIN_PIN_QUERY_TOKEN", "hush"),
        ("REELPIN_PIN_GIVES_ENDPOINT", "https://a.example"),
        ("REELPIN_PIN_GIVES_TOKEN", "hush"),
        ("REELPIN_PIN_GIVES_ORIGINAL", "true"),
    ]));
    assert!(!wrong.contains("hush"));
    expect![[r#"
        REELPIN_PIN_SERVICES: "node" is the name of the IPFS node
        REELPIN_PIN_SERVICES: "Big" is not 1 to 20 of a-z, 0-9 and -
        REELPIN_PIN_SERVICES: "a" is there twice, or looks like another
        REELPIN_PIN_A_B_ENDPOINT is not https://host/path (or http:// on this machine), without user, query or fragment
        REELPIN_PIN_SERVICES: "a_b" is not 1 to 20 of a-z, 0-9 and -
        REELPIN_PIN_BARE_ENDPOINT is not set
        REELPIN_PIN_BARE_TOKEN is not set
        REELPIN_PIN_PLAIN_ENDPOINT is not https://host/path (or http:// on this machine), without user, query or fragment
        REELPIN_PIN_USER_ENDPOINT is not https://host/path (or http:// on this machine), without user, query or fragment
        REELPIN_PIN_QUERY_ENDPOINT is not https://host/path (or http:// on this machine), without user, query or fragment
        REELPIN_PIN_GIVES_ORIGINAL is true, but REELPIN_PIN_ORIGINAL is not: gives could fetch no original from our node"#]].assert_eq(&wrong);
    let (_, wrong, _) = read(&[("REELPIN_PIN_SERVICES", "pinata")]);
    expect!["REELPIN_PIN_SERVICES is set, but no IPFS node: a service fetches every block from our own node; set REELPIN_IPFS_RPC too"].assert_eq(&wrong);
}
