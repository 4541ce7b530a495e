//! Links `kata://`: a second start hands them over, and one that comes with the first start waits for the window. None runs anything.

use crate::app::Desktop;

#[tokio::test]
async fn a_second_start_with_a_link_opens_the_window_there_and_a_text_is_filled_in_and_not_sent() {
    Desktop::drive("links", async |desktop| {
        desktop.click("use-demo").await;
        desktop.see("nav-sources").await;
        let second = desktop.start_again_with(&["kata://sources/channel:telegram"]).await;
        assert!(second.success(), "the second start ends by itself, and well: {second}");
        desktop.see("source-status-channel:telegram").await;
        desktop
            .until("the window is there", async || {
                desktop.hash().await == "#/sources/channel%3Atelegram"
            })
            .await;

        let link = "kata://new?text=/tool%20echo%20%7B%22text%22%3A%22from%20a%20link%22%7D%E2%80%AE&send=1";
        assert!(desktop.start_again_with(&[link]).await.success());
        let said = desktop.see("from-link").await.text().await;
        assert!(said.contains("Read it before you send it"), "{said}");
        let composer = desktop.see("composer").await;
        assert_eq!(
            composer.value().await,
            "/tool echo {\"text\":\"from a link\"}",
            "without what cannot be seen"
        );
        desktop.screenshot("filled-in").await;
        // What is sent stands in the transcript at once; by now another operation has been answered.
        desktop.click("nav-sources").await;
        desktop.click("nav-sessions").await;
        desktop.click_first_starting_with("session-row-").await;
        desktop.see("from-link").await;
        assert_eq!(desktop.count("message-user").await, 0, "nothing was sent");
        assert_eq!(desktop.count("tool-card").await, 0, "nothing ran");
        desktop.click("send").await;
        let sent = desktop.see("message-user").await.text().await;
        assert!(sent.contains("from a link"), "{sent}");

        assert!(desktop.start_again_with(&["kata://approve/K7Q2XY"]).await.success());
        desktop
            .until("a link that leads nowhere is named", async || {
                desktop.page_text().await.contains("kata://approve/K7Q2XY")
            })
            .await;
        desktop.screenshot("unknown").await;
    })
    .await;
}

#[tokio::test]
async fn a_link_that_comes_with_the_start_waits_until_there_is_a_window_for_it() {
    Desktop::drive_with("link-at-start", &["kata://plugins/echo"], async |desktop| {
        // Without a model the first run is in the way; the link waits for that too.
        desktop.click("use-demo").await;
        desktop
            .until("the window is there", async || desktop.hash().await == "#/plugins/echo")
            .await;
        desktop.see("plugin-row-echo").await;
    })
    .await;
}
