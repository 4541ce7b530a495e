//! The host's side of the web globals: functions that compute and touch nothing of a plugin's state. Bytes come as views
//! of JavaScript's memory and are copied before anything else happens.

use super::{codec, crypto};
use rquickjs::function::{Func, Opt};
use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray, Value};
use std::sync::OnceLock;
use std::time::Instant;

/// The bytes of an array, copied; none when its memory is gone.
#[expect(unsafe_code, reason = "reads JavaScript's memory; see the comment")]
pub(crate) fn copied(array: &TypedArray<'_, u8>) -> Vec<u8> {
    // SAFETY: the view is copied before this returns, and nothing of JavaScript runs in between.
    unsafe { array.as_bytes() }.map(<[u8]>::to_vec).unwrap_or_default()
}

fn bytes<'js>(ctx: Ctx<'js>, bytes: Option<Vec<u8>>) -> Result<TypedArray<'js, u8>> {
    match bytes {
        Some(bytes) => TypedArray::new_copy(ctx, bytes),
        None => Err(Exception::throw_type(&ctx, "bytes expected")),
    }
}

/// Bytes, or undefined.
fn maybe<'js>(ctx: &Ctx<'js>, bytes: Option<Vec<u8>>) -> Result<Value<'js>> {
    match bytes {
        Some(bytes) => TypedArray::new_copy(ctx.clone(), bytes).map(TypedArray::into_value),
        None => Ok(Value::new_undefined(ctx.clone())),
    }
}

/// Adds them to `n`.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, n: &Object<'js>) -> Result<()> {
    type Bytes<'js> = TypedArray<'js, u8>;
    n.set("script", Function::new(ctx.clone(), script)?)?;
    n.set("now", Func::from(now))?;
    n.set(
        "utf8",
        Function::new(ctx.clone(), |ctx, text: String| bytes(ctx, Some(text.into_bytes())))?,
    )?;
    n.set(
        "random",
        Function::new(ctx.clone(), |ctx, length: usize| bytes(ctx, codec::random(length)))?,
    )?;
    n.set("encoding", Func::from(|label: String| codec::encoding(&label)))?;
    n.set(
        "whole",
        Func::from(|data: Bytes<'_>, encoding: String| codec::whole(&copied(&data), &encoding)),
    )?;
    n.set(
        "decode",
        Func::from(|data: Bytes<'_>, encoding: String, fatal: bool| codec::decode(copied(&data), &encoding, fatal)),
    )?;
    n.set(
        "bytes64",
        Function::new(ctx.clone(), |ctx, text: String| bytes(ctx, codec::bytes64(&text)))?,
    )?;
    n.set("b64", Func::from(|binary: String| codec::base64(&binary)))?;
    n.set("unb64", Func::from(|text: String| codec::unbase64(&text)))?;
    n.set(
        "url",
        Func::from(|href: String, base: Opt<Option<String>>| codec::url(&href, base.0.flatten().as_deref())),
    )?;
    n.set(
        "urlSet",
        Func::from(|href: String, part: String, value: String| codec::url_with(&href, &part, &value)),
    )?;
    n.set("query", Func::from(|text: String| codec::query(&text)))?;
    n.set("unquery", Func::from(|pairs: String| codec::unquery(&pairs)))?;
    n.set(
        "multipart",
        Func::from(|data: Bytes<'_>, boundary: String| codec::multipart(&copied(&data), &boundary)),
    )?;
    n.set(
        "digest",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, hash: String, data: Bytes<'js>| {
            bytes(ctx, crypto::hash(&hash, &copied(&data)))
        })?,
    )?;
    n.set(
        "hmac",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, hash: String, key: Bytes<'js>, data: Bytes<'js>| {
            bytes(ctx, crypto::hmac_sign(&hash, &copied(&key), &copied(&data)))
        })?,
    )?;
    n.set(
        "hmacVerify",
        Func::from(|hash: String, key: Bytes<'_>, given: Bytes<'_>, data: Bytes<'_>| {
            crypto::hmac_verify(&hash, &copied(&key), &copied(&given), &copied(&data))
        }),
    )?;
    n.set(
        "gcm",
        Function::new(
            ctx.clone(),
            |ctx: Ctx<'js>, encrypt: bool, key: Bytes<'js>, iv: Bytes<'js>, aad: Bytes<'js>, data: Bytes<'js>| {
                maybe(
                    &ctx,
                    crypto::gcm(encrypt, &copied(&key), &copied(&iv), &copied(&aad), &copied(&data)),
                )
            },
        )?,
    )?;
    n.set(
        "hkdf",
        Function::new(
            ctx.clone(),
            |ctx: Ctx<'js>, hash: String, secret: Bytes<'js>, salt: Bytes<'js>, info: Bytes<'js>, length: usize| {
                let length = length.min(255 * 64 + 1);
                maybe(
                    &ctx,
                    crypto::hkdf_derive(&hash, &copied(&secret), &copied(&salt), &copied(&info), length),
                )
            },
        )?,
    )?;
    n.set(
        "keyImport",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, kind: String, shape: String, data: Bytes<'js>| {
            maybe(&ctx, crypto::import(&kind, &shape, &copied(&data)))
        })?,
    )?;
    n.set(
        "keyGenerate",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, kind: String| maybe(&ctx, crypto::generate(&kind)))?,
    )?;
    n.set(
        "keyPublic",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, kind: String, key: Bytes<'js>, what: String| {
            maybe(&ctx, crypto::part(&kind, &copied(&key), &what))
        })?,
    )?;
    n.set(
        "sign",
        Function::new(
            ctx.clone(),
            |ctx: Ctx<'js>, kind: String, hash: String, key: Bytes<'js>, data: Bytes<'js>| {
                maybe(&ctx, crypto::sign(&kind, &hash, &copied(&key), &copied(&data)))
            },
        )?,
    )?;
    n.set(
        "verify",
        Func::from(|kind: String, hash: String, key: Bytes<'_>, given: Bytes<'_>, data: Bytes<'_>| {
            crypto::verify(&kind, &hash, &copied(&key), &copied(&given), &copied(&data))
        }),
    )?;
    Ok(())
}

fn script<'js>(ctx: Ctx<'js>, name: String) -> Result<Value<'js>> {
    match super::scripts::web(&name) {
        Some(script) => script.evaluate(&ctx),
        None => Err(Exception::throw_reference(&ctx, &format!("there is no script “{name}”"))),
    }
}

/// Milliseconds since the first plugin asked, to the microsecond.
fn now() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let passed = START.get_or_init(Instant::now).elapsed();
    passed.as_micros() as f64 / 1000.0
}
