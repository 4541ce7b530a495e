//! The desk over a real store, with a clock that is set.

use super::*;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
struct SetClock(AtomicU64);

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Ms {
        Ms(self.0.load(Ordering::Relaxed))
    }
    fn monotonic_us(&self) -> u64 {
        self.now().0 * 1000
    }
    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

struct House {
    folder: tempfile::TempDir,
    clock: Arc<SetClock>,
    desk: Arc<DeviceDesk>,
    gateway: kata_gateway::Gateway,
    notices: Arc<Mutex<Vec<Notice>>>,
}

struct NoOperations;

macro_rules! none {
    ($($(#[$doc:meta])* $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        #[async_trait]
        impl kata_core::operations::Operations for NoOperations {
            $(async fn $method(&self, _: &Caller, _: $params) -> Result<$result, WireError> {
                Err(WireError::internal("nobody asks"))
            })*
        }
    };
}
kata_protocol::with_operations!(none);

async fn house(folder: tempfile::TempDir, settings: &str) -> House {
    kata_store::atomic_write(&folder.path().join("settings.json"), settings.as_bytes(), 0o600).unwrap();
    let clock = Arc::new(SetClock(AtomicU64::new(1_000_000)));
    let notices = Arc::new(Mutex::new(Vec::new()));
    let (settings, _) = SettingsFile::open(folder.path(), Ms(0)).unwrap();
    let events = Arc::new(EventHub::default());
    let desk = DeviceDesk::open(DeskParts {
        store: SqliteStore::open(&folder.path().join("kata.db")).unwrap(),
        settings: Arc::new(settings),
        notices: Arc::clone(&notices),
        events: Arc::clone(&events),
        clock: Arc::clone(&clock) as _,
        tasks: Tasks::default(),
    })
    .await
    .unwrap();
    desk.let_in(SecretString::from("the-local-token"));
    let gateway = kata_gateway::Gateway::start(
        kata_gateway::GatewayOptions {
            port: 0,
            tries: 1,
            file: folder.path().join("gateway.json"),
            ui_dir: None,
            allowed_origins: Vec::new(),
        },
        Arc::new(NoOperations),
        events,
        Arc::clone(&desk.tokens),
        tokio::sync::watch::channel(true).1,
        Arc::clone(&clock) as _,
        Arc::new(crate::OsEntropy),
    )
    .await
    .unwrap();
    desk.join(gateway.view(), gateway.port());
    House {
        folder,
        clock,
        desk,
        gateway,
        notices,
    }
}

fn admin() -> Caller {
    Caller {
        name: "cli".into(),
        scope: Scope::Admin,
    }
}

fn wanted(name: &str, days: Option<u32>) -> DevicePair {
    DevicePair {
        name: name.into(),
        scope: Scope::Approve,
        expires_after_days: days,
    }
}

async fn show(house: &House, code: &str) -> Result<Paired, NotPaired> {
    let ask = PairAsk {
        code: code.into(),
        key: None,
        client: "web".into(),
    };
    house.desk.pair(ask).await
}

#[tokio::test]
async fn a_code_makes_one_device_that_is_there_after_a_restart_and_gone_after_it_was_shut_out() {
    let house = house(tempfile::tempdir().unwrap(), "{}").await;
    let offer = house.desk.offer(&admin(), wanted("  Anna's phone ", Some(2))).await.unwrap();
    let plain = offer.code.replace('-', "");
    assert_eq!((plain.len(), offer.reach.as_str()), (10, "loopback"));
    assert_eq!(offer.url, format!("http://127.0.0.1:{}/#/pair/{plain}", house.gateway.port()));
    assert_eq!(offer.expires_at, Ms(1_000_000 + 600_000));

    let paired = show(&house, &offer.code).await.unwrap();
    assert_eq!(paired.expires_at, Some(Ms(1_000_000 + 2 * DAY_MS)));
    assert!(matches!(show(&house, &offer.code).await, Err(NotPaired::Code)), "a second time");
    let token = paired.token.unwrap();
    let row = &house.desk.list()[0];
    assert_eq!(
        (row.name.as_str(), row.scope, row.keyed, row.seen_at),
        ("Anna's phone", Scope::Approve, false, None)
    );
    house.clock.0.fetch_add(5, Ordering::Relaxed);
    house.desk.came(&paired.device);
    assert_eq!(house.desk.list()[0].seen_at, Some(Ms(1_000_005)));

    // The token itself is nowhere on the disk.
    let House { folder, desk, gateway, .. } = house;
    desk.parts
        .tasks
        .shutdown(&crate::SystemClock::default(), Duration::from_secs(5))
        .await;
    drop((desk, gateway));
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        let secret = token.expose_secret().as_bytes();
        assert!(!bytes.windows(secret.len()).any(|w| w == secret));
    }

    let house = self::house(folder, "{}").await;
    let again = house.desk.list();
    assert_eq!((again.len(), again[0].id.as_str()), (1, paired.device.as_str()));
    assert_eq!(again[0].seen_at, Some(Ms(1_000_005)));
    house.desk.revoke(&admin(), &paired.device).await.unwrap();
    assert_eq!(house.desk.list(), []);
    let error = house.desk.revoke(&admin(), &paired.device).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    let audit = house.desk.parts.store.audit(9).await.unwrap();
    let acts: Vec<&str> = audit.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(acts, ["device.revoke", "device.paired", "device.pair"]);
}

#[tokio::test]
async fn five_wrong_codes_end_the_offer_and_the_person_is_told() {
    let house = house(tempfile::tempdir().unwrap(), "{}").await;
    let offer = house.desk.offer(&admin(), wanted("phone", None)).await.unwrap();
    for _ in 0..5 {
        assert!(matches!(show(&house, "WRONG").await, Err(NotPaired::Code)));
    }
    assert!(matches!(show(&house, &offer.code).await, Err(NotPaired::Code)));
    assert!(
        locked(&house.notices)
            .iter()
            .any(|n| n.id == GUESSED && n.message.contains("phone"))
    );
    house.desk.offer(&admin(), wanted("phone", None)).await.unwrap();
    assert!(locked(&house.notices).is_empty(), "a new offer is a new beginning");
}

#[tokio::test]
async fn two_who_show_a_code_at_once_get_one_device() {
    let house = house(tempfile::tempdir().unwrap(), "{}").await;
    let offer = house.desk.offer(&admin(), wanted("phone", None)).await.unwrap();
    let (a, b) = tokio::join!(show(&house, &offer.code), show(&house, &offer.code));
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1);
    assert_eq!(house.desk.list().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_a_device_is_refused_by_its_field() {
    let house = house(tempfile::tempdir().unwrap(), "{}").await;
    for (name, days, field) in [
        ("", None, "“name”"),
        ("a\nb", None, "“name”"),
        ("phone", Some(0), "“expiresAfterDays”"),
        ("phone", Some(3651), "“expiresAfterDays”"),
    ] {
        let error = house.desk.offer(&admin(), wanted(name, days)).await.unwrap_err();
        assert!(error.message.contains(field), "{}", error.message);
    }
    assert!(house.desk.offer(&admin(), wanted(&"x".repeat(65), None)).await.is_err());
}

#[tokio::test]
async fn a_host_of_the_settings_is_where_a_device_is_sent_and_one_that_is_none_is_told() {
    let house = house(
        tempfile::tempdir().unwrap(),
        r#"{"gateway": {"hosts": ["*.example", "box.tail1234.ts.net"]}}"#,
    )
    .await;
    let offer = house.desk.offer(&admin(), wanted("phone", None)).await.unwrap();
    assert!(offer.url.starts_with("https://box.tail1234.ts.net/#/pair/"), "{}", offer.url);
    assert_eq!(offer.reach, "box.tail1234.ts.net");
    assert_eq!(house.desk.state().urls[1], "https://box.tail1234.ts.net");
    assert!(
        locked(&house.notices)
            .iter()
            .any(|n| n.id == BAD_HOSTS && n.message.contains("*.example"))
    );
    house.desk.parts.settings.change(|s| s.gateway.hosts.clear()).unwrap();
    house.desk.apply_hosts();
    assert_eq!(house.desk.state().hosts, Vec::<String>::new());
    assert!(locked(&house.notices).is_empty());
}
