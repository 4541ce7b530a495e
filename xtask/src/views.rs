//! Every view of the window in Chromium, on the engine in memory: pictures in both themes and four sizes, judged by axe-core and by rules
//! of layout and keyboard.
//! The script is `ui/views/views.mjs`.

use crate::process::{Failure, command, exists, run};
use crate::setup;
use std::path::Path;

/// Builds the window with its engine in memory and visits every view. `KATA_CHROMIUM` names another Chromium, `KATA_VIEWS`, `KATA_SIZES`
/// and `KATA_THEMES` a part.
pub(crate) fn all(root: &Path) -> Result<(), Failure> {
    let ui = root.join("ui");
    setup::npm_packages(root, Path::new("ui"))?;
    if std::env::var_os("KATA_CHROMIUM").is_none() && !exists("chromium") {
        return Err(Failure::new(
            "Chromium is needed: `apt-get install chromium`, or name one with KATA_CHROMIUM",
        ));
    }
    run(
        "build the window with its engine in memory",
        &mut setup::npm(
            &ui,
            "exec -- vite build --mode e2e --outDir ../target/views-ui --emptyOutDir --logLevel warn",
        ),
    )?;
    run("look at every view", &mut command(&ui, "node views/views.mjs"))
}
