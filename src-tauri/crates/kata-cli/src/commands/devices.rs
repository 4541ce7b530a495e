//! `kata devices` and `kata gateway`.

use super::connect;
use crate::args::{Devices, PairDevice};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::interrupts::Interrupts;
use crate::render;
use crate::screen::Screen;
use kata_protocol::{Device, DeviceOffer, DevicePair, DeviceRef, Empty, Notice, Topic};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Notice of an offer that wrong codes ended.
const ENDED: &str = "device-offer-ended";

pub(super) async fn run(screen: &Screen, home: &Path, command: Devices) -> Result<(), Failure> {
    match command {
        Devices::List => {
            let devices = connect(home).await?.device_list(Empty {}).await?;
            screen.result(&devices, |d| render::devices(d, render::now()))
        }
        Devices::Pair(wanted) => pair(screen, home, wanted).await,
        Devices::Revoke { device } => revoke(screen, home, &device).await,
    }
}

pub(super) async fn gateway(screen: &Screen, home: &Path) -> Result<(), Failure> {
    let state = connect(home).await?.gateway_state(Empty {}).await?;
    screen.result(&state, |s| render::gateway(s, render::now()))
}

async fn revoke(screen: &Screen, home: &Path, named: &str) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let devices = client.device_list(Empty {}).await?;
    let found: Vec<&Device> = devices.iter().filter(|d| d.id == named || d.name == named).collect();
    let id = match found.as_slice() {
        [] => named.to_owned(),
        [one] => one.id.clone(),
        many => {
            let ids: Vec<&str> = many.iter().map(|d| d.id.as_str()).collect();
            return Err(Failure::usage(format!("{} devices are called “{named}”", many.len()))
                .hint(format!("name it by its id: {}", ids.join(", "))));
        }
    };
    client.device_revoke(DeviceRef { id: id.clone() }).await?;
    screen.result(&json!({"revoked": id}), |_| "shut out; its connections are ended\n".into())
}

/// Shows the code, then waits for the device, the end of the code, or Ctrl-C. The offer's JSON comes first, on a line of its own; the
/// device's is the next line.
pub(super) async fn pair(screen: &Screen, home: &Path, wanted: PairDevice) -> Result<(), Failure> {
    let mut client = Client::connect(home, &[Topic::Devices]).await?;
    let before = ids(&client.device_list(Empty {}).await?);
    let offer = client
        .device_pair(DevicePair {
            name: wanted.name,
            scope: wanted.scope.into(),
            expires_after_days: wanted.expires_days,
        })
        .await?;
    if screen.json {
        screen.json_line(&offer)?;
    } else {
        screen.text(&render::offer(&offer))?;
    }
    if wanted.no_wait {
        return Ok(());
    }
    let device = wait(&mut client, &before, &offer).await?;
    if screen.json {
        return screen.json_line(&device);
    }
    screen.text(&format!("{} is paired ({})\n", render::line(&device.name, 64), device.id))
}

async fn wait(client: &mut Client, before: &[String], offer: &DeviceOffer) -> Result<Device, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let left = Duration::from_millis(offer.expires_at.0.saturating_sub(render::now().0));
    let mut end = std::pin::pin!(tokio::time::sleep(left));
    loop {
        tokio::select! {
            told = client.listen() => { told?; }
            () = &mut end => return Err(Failure::new(Exit::Refused, "nobody showed the code in ten minutes").hint("run it again for a new one")),
            () = interrupts.next() => {
                return Err(Failure::new(Exit::Refused, "not waited for any longer").hint("the code stays good until its time is over"));
            }
        }
        if let Some(device) = client.device_list(Empty {}).await?.into_iter().find(|d| !before.contains(&d.id)) {
            return Ok(device);
        }
        let notices = client.system_status(Empty {}).await?.notices;
        if let Some(Notice { message, hint, .. }) = notices.into_iter().find(|n| n.id == ENDED) {
            let failure = Failure::new(Exit::Refused, message);
            return Err(match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            });
        }
    }
}

fn ids(devices: &[Device]) -> Vec<String> {
    devices.iter().map(|d| d.id.clone()).collect()
}
