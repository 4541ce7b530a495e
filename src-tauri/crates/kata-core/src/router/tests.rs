//! What the router promises, over random tables and ids.

use super::*;
use crate::testing::draft;
use kata_protocol::*;
use proptest::prelude::*;
use serde_json::json;

type Rule = kata_protocol::Binding;

fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

fn defaults() -> Defaults {
    Defaults::new(id("w"))
}

fn table(value: serde_json::Value) -> RoutingTable {
    parse(value.as_object().unwrap()).unwrap()
}

fn compiled(value: serde_json::Value) -> Bindings {
    Bindings::compile(table(value), defaults()).unwrap()
}

fn refused(value: serde_json::Value) -> String {
    let table = parse(value.as_object().unwrap());
    let error = table
        .and_then(|table| Bindings::compile(table, defaults()).map(|_| ()))
        .expect_err("it stands");
    error.to_string()
}

fn with_scope(scope: SessionScope) -> Bindings {
    compiled(json!({"bindings": [{"id": "all", "scope": scope}],
        "people": [{"id": "ada", "addresses": [{"channel": "slack", "sender": "U1"}, {"channel": "telegram", "sender": "42"}]}]}))
}

fn decided(bindings: &Bindings, channel: &str, draft: &InboundDraft) -> String {
    let routed = route(bindings, &id(channel), draft).unwrap();
    routed.binding().id.clone().unwrap_or_else(|| "default".into())
}

#[test]
fn a_key_reads_like_the_conversation_it_names() {
    let mut d = draft("m1", "C456", "U2", "hi");
    d.account = id("T123");
    d.thread = Some(id("1732.5"));
    let key = |scope, d: &InboundDraft| route(&with_scope(scope), &id("slack"), d).unwrap().key().to_string();
    assert_eq!(key(SessionScope::Thread, &d), "slack:T123:C456:1732.5");
    assert_eq!(key(SessionScope::Conversation, &d), "slack:T123:C456");
    let mut group = d.clone();
    group.chat_type = ChatType::Group;
    assert_eq!(key(SessionScope::Sender, &group), "slack:T123:C456:=U2");
    assert_eq!(
        key(SessionScope::Person, &d),
        "slack:T123:C456:1732.5",
        "somebody who is not known, as thread"
    );
    assert_eq!(
        route(&Bindings::plain(defaults()), &id("slack"), &d).unwrap().key().as_str(),
        "slack:T123:C456:1732.5",
        "without a table it is as it was before there were any"
    );
}

#[test]
fn a_known_person_has_one_key_over_all_channels_and_in_a_group_the_persons_name_stands_for_the_sender() {
    let key = |scope, channel: &str, d: &InboundDraft| route(&with_scope(scope), &id(channel), d).unwrap().key().to_string();
    let (slack, telegram) = (draft("m1", "D1", "U1", "hi"), draft("m2", "chat", "42", "hi"));
    assert_eq!(key(SessionScope::Person, "slack", &slack), "=person:ada");
    assert_eq!(key(SessionScope::Person, "telegram", &telegram), "=person:ada");
    let mut group = slack.clone();
    group.chat_type = ChatType::Group;
    assert_eq!(
        key(SessionScope::Person, "slack", &group),
        "slack:bot:D1",
        "what is said in a group stays there"
    );
    assert_eq!(key(SessionScope::Sender, "slack", &group), "slack:bot:D1:==ada");
    for name in ["ada", "~ada", "=ada"] {
        group.sender.id = id(name);
        assert_ne!(
            key(SessionScope::Sender, "slack", &group),
            "slack:bot:D1:==ada",
            "whose id reads like hers is not she"
        );
    }
}

#[test]
fn the_channel_of_a_key_is_the_one_it_was_made_of() {
    for name in ["slack", "a:b%=~", "größe 日本"] {
        let routed = route(&Bindings::plain(defaults()), &id(name), &draft("m", "c", "s", "t")).unwrap();
        assert_eq!(channel_of(routed.key()), Some(id(name)));
    }
    let person: SessionKey = id("=person:ada");
    assert_eq!((channel_of(&person), person_of(&person)), (None, Some("ada")));
}

#[test]
fn the_most_particular_binding_decides_thread_conversation_sender_person_chat_type_account_channel_default() {
    let bindings = [
        json!({"id": "thread", "match": {"channel": "slack", "conversation": "C1", "thread": "T"}}),
        json!({"id": "conversation", "match": {"channel": "slack", "conversation": "C1"}}),
        json!({"id": "sender", "match": {"channel": "slack", "sender": "U1"}}),
        json!({"id": "person", "match": {"person": "ada"}}),
        json!({"id": "chat-type", "match": {"chatType": "direct"}}),
        json!({"id": "account", "match": {"channel": "slack", "account": "bot"}}),
        json!({"id": "channel", "match": {"channel": "slack"}}),
        json!({"id": "everything"}),
    ];
    let mut d = draft("m", "C1", "U1", "hi");
    d.thread = Some(id("T"));
    for left in 0..bindings.len() {
        let rest = compiled(json!({"bindings": bindings[left..],
            "people": [{"id": "ada", "addresses": [{"channel": "slack", "sender": "U1"}]}]}));
        assert_eq!(decided(&rest, "slack", &d), bindings[left]["id"].as_str().unwrap());
    }
    let all = compiled(json!({"bindings": bindings, "people": [{"id": "ada", "addresses": []}]}));
    d.thread = Some(id("another"));
    assert_eq!(
        decided(&all, "slack", &d),
        "conversation",
        "the parent of a thread without a binding of its own"
    );
    // More fields win over fewer with the same most particular one; a more particular one over any number of others.
    let more = compiled(json!({"bindings": [
        {"id": "group-of-account", "match": {"channel": "slack", "account": "bot", "chatType": "direct"}},
        {"id": "group", "match": {"channel": "slack", "chatType": "direct"}},
        {"id": "by-sender", "match": {"channel": "slack", "sender": "U9"}},
    ]}));
    assert_eq!(decided(&more, "slack", &d), "group-of-account");
    d.sender.id = id("U9");
    assert_eq!(decided(&more, "slack", &d), "by-sender");
}

#[test]
fn two_bindings_for_the_same_messages_are_refused_with_both_named() {
    let error = refused(json!({"bindings": [
        {"id": "support", "match": {"channel": "slack", "chatType": "group"}, "scope": "sender"},
        {"id": "other", "match": {"channel": "slack"}},
        {"id": "sales", "match": {"chatType": "group", "channel": "slack"}},
    ]}));
    assert!(
        error.contains("“support”") && error.contains("“sales”") && error.contains("chatType, channel"),
        "{error}"
    );
}

#[test]
fn what_cannot_stand_is_refused_with_its_place_and_its_field() {
    let people = json!([{"id": "ada", "addresses": [{"channel": "slack", "sender": "U1"}]}]);
    let binding = |value: serde_json::Value| {
        let mut value = value;
        value["id"] = json!("b");
        json!({"bindings": [value], "people": people})
    };
    let long = "x".repeat(16 * 1024 + 1);
    let cases = [
        (binding(json!({"match": {"account": "a"}})), "binding “b”", "match.account"),
        (
            binding(json!({"match": {"conversation": "c"}})),
            "binding “b”",
            "match.conversation",
        ),
        (binding(json!({"match": {"sender": "s"}})), "binding “b”", "match.sender"),
        (
            binding(json!({"match": {"channel": "c", "thread": "t"}})),
            "binding “b”",
            "match.thread",
        ),
        (
            binding(json!({"match": {"channel": "c", "sender": "s", "person": "ada"}})),
            "binding “b”",
            "match.person",
        ),
        (binding(json!({"match": {"person": "bob"}})), "binding “b”", "match.person"),
        (binding(json!({"profile": "none"})), "binding “b”", "profile"),
        (binding(json!({"overlap": {"collectMs": 99}})), "binding “b”", "overlap.collectMs"),
        (
            binding(json!({"overlap": {"collectMs": 60_001}})),
            "binding “b”",
            "overlap.collectMs",
        ),
        (binding(json!({"overlap": {"most": 0}})), "binding “b”", "overlap.most"),
        (binding(json!({"overlap": {"most": 1_001}})), "binding “b”", "overlap.most"),
        (binding(json!({"scope": "planet"})), "binding “b”", "scope"),
        (binding(json!({"match": {"conversation": ""}})), "binding “b”", "match"),
        (binding(json!({"colour": 1})), "binding “b”", "colour"),
        (json!({"bindings": [{"match": {}}]}), "binding number 1", "id"),
        (json!({"bindings": {}}), "the table", "bindings"),
        (json!({"bindings": [3]}), "binding number 1", "bindings"),
        (json!({"workspace": 3}), "the table", "workspace"),
        (json!({"profile": "none"}), "the table", "profile"),
        (json!({"bindings": [{"id": "Not So"}]}), "binding “Not So”", "id"),
        (
            json!({"bindings": [{"id": "b", "match": {"channel": "x"}}, {"id": "b"}]}),
            "binding “b”",
            "id",
        ),
        (json!({"profiles": [{"id": "p"}, {"id": "p"}]}), "profile “p”", "id"),
        (json!({"profiles": [{"id": ""}]}), "profile “”", "id"),
        (json!({"profiles": [{"id": "p", "tools": ["a*b"]}]}), "profile “p”", "tools"),
        (
            json!({"profiles": [{"id": "p", "withoutTools": [""]}]}),
            "profile “p”",
            "withoutTools",
        ),
        (
            json!({"profiles": [{"id": "p", "systemPrompt": long}]}),
            "profile “p”",
            "systemPrompt",
        ),
        (json!({"profiles": [{"id": "p", "mode": "root"}]}), "profile “p”", "mode"),
        (
            json!({"people": [people[0], {"id": "bob", "addresses": [{"channel": "slack", "account": "T1", "sender": "U1"}]}]}),
            "person “bob”",
            "addresses[0]",
        ),
        (json!({"people": [people[0], people[0]]}), "person “ada”", "id"),
    ];
    for (table, place, field) in cases {
        let error = refused(table);
        assert!(
            error.starts_with(&format!("{place}, field “{field}”: ")),
            "{place} {field}: {error}"
        );
    }
    let other_accounts = json!({"people": [
        {"id": "ada", "addresses": [{"channel": "slack", "account": "T1", "sender": "U1"}]},
        {"id": "bob", "addresses": [{"channel": "slack", "account": "T2", "sender": "U1"}]}]});
    let two = compiled(other_accounts);
    let mut d = draft("m", "c", "U1", "hi");
    d.account = id("T2");
    assert_eq!(
        route(&two, &id("slack"), &d).unwrap().person(),
        Some("bob"),
        "the same id of another account is another person"
    );
}

#[test]
fn a_binding_is_filled_in_from_its_profile_then_its_channel_then_the_table() {
    let mut defaults = defaults();
    defaults.channels.insert(
        id("slack"),
        (Some(id("of-channel")), Some("m-channel".into()), Some(PermissionMode::Ask)),
    );
    let table = table(json!({"workspace": "of-table", "profile": "plain", "profiles": [{"id": "plain"},
            {"id": "strict", "model": "m-profile", "mode": "safe"}],
        "bindings": [{"id": "s", "match": {"channel": "slack", "sender": "U1"}, "profile": "strict", "workspace": "of-binding"}]}));
    let bindings = Bindings::compile(table, defaults).unwrap();
    let place = |channel: &str, sender: &str| {
        let b = route(&bindings, &id(channel), &draft("m", "c", sender, "t"))
            .unwrap()
            .binding()
            .clone();
        (b.workspace.to_string(), b.profile.unwrap(), b.model.unwrap_or_default(), b.mode)
    };
    assert_eq!(
        place("slack", "U1"),
        ("of-binding".into(), "strict".into(), "m-profile".into(), PermissionMode::Safe)
    );
    assert_eq!(
        place("slack", "U2"),
        ("of-channel".into(), "plain".into(), "m-channel".into(), PermissionMode::Ask)
    );
    assert_eq!(
        place("irc", "U1"),
        ("of-table".into(), "plain".into(), String::new(), PermissionMode::Safe)
    );
}

#[test]
fn a_profile_has_the_tools_of_its_list_without_those_it_is_without() {
    let profile = |tools: Option<&[&str]>, without: &[&str]| AgentProfile {
        tools: tools.map(|tools| tools.iter().map(|t| (*t).to_owned()).collect()),
        without_tools: without.iter().map(|t| (*t).to_owned()).collect(),
        ..AgentProfile::default()
    };
    assert!(has_tool(&profile(None, &[]), "bash"));
    assert!(!has_tool(&profile(Some(&[]), &[]), "bash"));
    let sends = profile(Some(&["read", "send_*"]), &["send_money"]);
    let has = |tool| has_tool(&sends, tool);
    assert_eq!(
        [has("read"), has("reader"), has("send_mail"), has("send_money")],
        [true, false, true, false]
    );
}

/// Texts that try to be taken for others: separators, escapes, case, letters that look alike.
const PARTS: [&str; 16] = [
    "a", "A", "b", ":", "%", "=", "a:b", "%3A", "~", "~a", "=a", "ä", "a\u{308}", "日本", "c=:", "/../a",
];

fn part() -> impl Strategy<Value = String> {
    (0..PARTS.len(), 0..PARTS.len() * 3).prop_map(|(a, b)| match PARTS.get(b) {
        Some(second) => format!("{}{second}", PARTS[a]),
        None => PARTS[a].to_owned(),
    })
}

type Parts = (String, String, String, Option<String>, String);

fn parts() -> impl Strategy<Value = Parts> {
    (part(), part(), part(), proptest::option::of(part()), part())
}

const SCOPES: [SessionScope; 4] = [
    SessionScope::Thread,
    SessionScope::Conversation,
    SessionScope::Sender,
    SessionScope::Person,
];
const CHATS: [ChatType; 3] = [ChatType::Direct, ChatType::Group, ChatType::Channel];

fn drafted(p: &Parts, chat: ChatType) -> (ChannelId, InboundDraft) {
    let mut d = draft("m", "c", "s", "t");
    d.chat_type = chat;
    d.account = id(&p.1);
    d.conversation = id(&p.2);
    d.thread = p.3.as_deref().map(id);
    d.sender.id = id(&p.4);
    (id(&p.0), d)
}

/// What the scope says the conversation is.
fn place(p: &Parts, chat: ChatType, scope: SessionScope, person: Option<&str>) -> (Option<String>, Vec<(&'static str, String)>) {
    let direct = chat == ChatType::Direct;
    if let (SessionScope::Person, true, Some(person)) = (scope, direct, person) {
        return (Some(person.to_owned()), Vec::new());
    }
    let mut place = vec![("channel", p.0.clone()), ("account", p.1.clone()), ("conversation", p.2.clone())];
    if matches!(scope, SessionScope::Thread | SessionScope::Person) {
        place.extend(p.3.iter().map(|thread| ("thread", thread.clone())));
    }
    if scope == SessionScope::Sender && !direct {
        place.push(match person {
            Some(person) => ("person", person.to_owned()),
            None => ("sender", p.4.clone()),
        });
    }
    (None, place)
}

/// A table of random bindings over few values, so that many of them meet.
fn few() -> impl Strategy<Value = Vec<BindingMatch>> {
    let one = (0..3u8, 0..3u8, 0..4u8, 0..3u8, 0..3u8, 0..5u8).prop_map(|(channel, account, chat, conversation, thread, who)| {
        let channel = (channel > 0).then(|| id(&format!("ch{channel}")));
        let with_channel = channel.is_some();
        let conversation = (conversation > 0 && with_channel).then(|| id(&format!("co{conversation}")));
        BindingMatch {
            account: (account > 0 && with_channel).then(|| id(&format!("ac{account}"))),
            chat_type: chat.checked_sub(1).map(|chat| CHATS[usize::from(chat)]),
            thread: (thread > 0 && conversation.is_some()).then(|| id(&format!("th{thread}"))),
            sender: (who == 1 || who == 2).then(|| id(&format!("s{who}"))).filter(|_| with_channel),
            person: (who > 2).then(|| format!("p{who}")),
            conversation,
            channel,
        }
    });
    proptest::collection::vec(one, 0..6)
}

fn one_draft() -> impl Strategy<Value = (ChannelId, InboundDraft)> {
    (1..4u8, 1..4u8, 0..3usize, 1..4u8, 0..3u8, 1..6u8).prop_map(|(channel, account, chat, conversation, thread, sender)| {
        let mut d = draft("m", &format!("co{conversation}"), &format!("s{sender}"), "t");
        d.account = id(&format!("ac{account}"));
        d.chat_type = CHATS[chat];
        d.thread = (thread > 0).then(|| id(&format!("th{thread}")));
        (id(&format!("ch{channel}")), d)
    })
}

fn table_of(matches: &[BindingMatch]) -> RoutingTable {
    let binding = |(n, matches): (usize, &BindingMatch)| Rule {
        id: format!("b{n}"),
        matches: matches.clone(),
        workspace: None,
        profile: None,
        scope: SCOPES[n % 4],
        overlap: Overlap::default(),
    };
    let person = |n: u8| Person {
        id: format!("p{n}"),
        name: None,
        addresses: (1..4)
            .map(|channel| PersonAddress {
                channel: id(&format!("ch{channel}")),
                account: None,
                sender: id(&format!("s{n}")),
            })
            .collect(),
    };
    RoutingTable {
        bindings: matches.iter().enumerate().map(binding).collect(),
        people: vec![person(3), person(4)],
        ..RoutingTable::default()
    }
}

/// Whether a binding takes a message, as the documentation says it.
fn takes(m: &BindingMatch, channel: &ChannelId, d: &InboundDraft) -> bool {
    let person = ["s3", "s4"]
        .contains(&d.sender.id.as_str())
        .then(|| d.sender.id.as_str().replace('s', "p"));
    m.channel.as_ref().is_none_or(|c| c == channel)
        && m.account.as_ref().is_none_or(|a| *a == d.account)
        && m.chat_type.is_none_or(|c| c == d.chat_type)
        && m.conversation.as_ref().is_none_or(|c| *c == d.conversation)
        && m.thread.as_ref().is_none_or(|t| Some(t) == d.thread.as_ref())
        && m.sender.as_ref().is_none_or(|s| *s == d.sender.id)
        && m.person.as_ref().is_none_or(|p| Some(p) == person.as_ref())
}

/// The documented order.
fn order(m: &BindingMatch) -> [bool; 7] {
    let set = [
        m.thread.is_some(),
        m.conversation.is_some(),
        m.sender.is_some(),
        m.person.is_some(),
        m.chat_type.is_some(),
        m.account.is_some(),
    ];
    [set[0], set[1], set[2], set[3], set[4], set[5], m.channel.is_some()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_different_conversations_never_share_a_key(
        a in parts(), b in parts(), same in 0..64u8,
        scope_a in 0..4usize, scope_b in 0..4usize, chat_a in 0..3usize, chat_b in 0..3usize, known in 0..3u8,
    ) {
        // Most pairs share most of their parts: those are the ones that could meet.
        let mut b = b;
        if same & 1 > 0 { b.0 = a.0.clone(); }
        if same & 2 > 0 { b.1 = a.1.clone(); }
        if same & 4 > 0 { b.2 = a.2.clone(); }
        if same & 8 > 0 { b.3 = a.3.clone(); }
        if same & 16 > 0 { b.4 = a.4.clone(); }
        if same & 32 > 0 { b.4 = a.3.clone().unwrap_or_else(|| b.4.clone()); }
        let person = Person {
            id: "a".into(),
            name: None,
            addresses: vec![PersonAddress { channel: id(&a.0), account: None, sender: id(&a.4) }],
        };
        let people = if known > 0 { vec![person] } else { Vec::new() };
        let make = |p: &Parts, scope: SessionScope, chat: ChatType| {
            let binding = Rule { id: "b".into(), matches: BindingMatch::default(), workspace: None, profile: None, scope,
                overlap: Overlap::default() };
            let table = RoutingTable { bindings: vec![binding], people: people.clone(), ..RoutingTable::default() };
            let bindings = Bindings::compile(table, defaults()).unwrap();
            let (channel, d) = drafted(p, chat);
            let routed = route(&bindings, &channel, &d).unwrap();
            (routed.key().clone(), place(p, chat, scope, routed.person()))
        };
        let (key_a, place_a) = make(&a, SCOPES[scope_a], CHATS[chat_a]);
        let (key_b, place_b) = make(&b, SCOPES[scope_b], CHATS[chat_b]);
        prop_assert_eq!(key_a == key_b, place_a == place_b, "{} {}", key_a, key_b);
    }

    #[test]
    fn every_message_has_exactly_one_binding_whatever_the_order_of_the_table_and_explain_says_the_same(
        matches in few(), message in one_draft(), turn in 0..6usize,
    ) {
        let mut matches = matches;
        matches.sort_by_key(|m| format!("{m:?}"));
        matches.dedup();
        let table = table_of(&matches);
        let mut turned = table.clone();
        if !turned.bindings.is_empty() {
            let by = turn % turned.bindings.len();
            turned.bindings.rotate_left(by);
        }
        let (channel, d) = message;
        let bindings = Bindings::compile(table, defaults()).unwrap();
        let routed = route(&bindings, &channel, &d).unwrap();
        let again = route(&Bindings::compile(turned, defaults()).unwrap(), &channel, &d).unwrap();
        prop_assert_eq!(&routed, &again);
        let best = matches.iter().enumerate().filter(|(_, m)| takes(m, &channel, &d)).max_by_key(|(_, m)| order(m));
        prop_assert_eq!(routed.binding().id.clone(), best.map(|(n, _)| format!("b{n}")));
        let (explained, steps) = explain(&bindings, &channel, &d).unwrap();
        prop_assert_eq!(&explained, &routed);
        let decided: Vec<_> = steps.iter().filter(|step| step.decided).map(|step| step.question.clone()).collect();
        let wanted = routed.binding().id.as_ref().map_or("default".to_owned(), |id| format!("binding {id}"));
        prop_assert_eq!(decided, vec![wanted]);
    }

    #[test]
    fn a_tie_is_found_when_the_table_is_loaded_exactly_where_two_bindings_could_take_a_message_on_one_rank(matches in few()) {
        // Two bindings meet where no field of both wants another thing, and stand on one rank with the same fields.
        let meet = |a: &BindingMatch, b: &BindingMatch| {
            fn apart<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool { matches!((a, b), (Some(a), Some(b)) if a != b) }
            let apart = apart(&a.channel, &b.channel) || apart(&a.account, &b.account) || apart(&a.chat_type, &b.chat_type)
                || apart(&a.conversation, &b.conversation) || apart(&a.thread, &b.thread) || apart(&a.sender, &b.sender)
                || apart(&a.person, &b.person);
            !apart && order(a) == order(b)
        };
        let ties = (0..matches.len()).any(|a| (0..a).any(|b| meet(&matches[a], &matches[b])));
        let compiled = Bindings::compile(table_of(&matches), defaults());
        prop_assert_eq!(ties, matches!(compiled, Err(TableError::Tie { .. })));
        prop_assert_eq!(!ties, compiled.is_ok());
    }
}
