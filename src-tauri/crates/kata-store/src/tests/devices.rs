//! Devices of the gateway on the disk.

use crate::{SqliteStore, StoredDevice, StoredProof};
use kata_protocol::{Ms, Scope};

fn device(id: &str, proof: StoredProof) -> StoredDevice {
    StoredDevice {
        id: id.into(),
        name: "phone".into(),
        scope: Scope::Approve,
        proof,
        paired_at: Ms(5),
        seen_at: None,
        expires_at: Some(Ms(900)),
    }
}

#[tokio::test]
async fn devices_survive_a_restart_and_one_that_was_shut_out_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kata.db");
    let store = SqliteStore::open(&path).unwrap();
    let (keyed, token) = (
        device("dev_a", StoredProof::PublicKey(vec![1; 91])),
        device("dev_b", StoredProof::TokenHash(vec![2; 32])),
    );
    store.add_device(&keyed).await.unwrap();
    store.add_device(&token).await.unwrap();
    assert!(store.add_device(&keyed).await.is_err(), "an id is one device's");
    store.device_seen("dev_b", Ms(70)).await.unwrap();
    store.device_seen("dev_b", Ms(60)).await.unwrap();
    drop(store);

    let store = SqliteStore::open(&path).unwrap();
    let seen = StoredDevice {
        seen_at: Some(Ms(70)),
        ..token
    };
    assert_eq!(store.devices().await.unwrap(), [keyed, seen.clone()]);
    assert!(store.revoke_device("dev_a", Ms(80)).await.unwrap());
    assert!(!store.revoke_device("dev_a", Ms(81)).await.unwrap());
    drop(store);
    assert_eq!(SqliteStore::open(&path).unwrap().devices().await.unwrap(), [seen]);
}
