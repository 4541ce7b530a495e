/** The Graph API as this plugin asks it, and what its errors mean (developers.facebook.com, “Cloud API error codes”). */

import { SendError, type SendErrorCode } from "@kata-agents/plugin-sdk";
import { HttpError, request, type RequestOptions, sendErrorOf } from "@kata-agents/plugin-sdk/sending";
import type { Cloud } from "./cloud-settings.ts";

/** Meta's own number of what is wrong. */
export function graphCode(error: unknown): number | undefined {
  if (!(error instanceof HttpError)) return undefined;
  const inner = error.json()?.["error"];
  const code = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)["code"] : undefined;
  return typeof code === "number" ? code : undefined;
}

/** The token is wrong, has run out, or was taken back. */
export const isRefused = (error: unknown): boolean => graphCode(error) === 190 || (error instanceof HttpError && error.status === 401);

/** Asks. `path` is below the version. */
export async function graph(cloud: Cloud, path: string, options: RequestOptions): Promise<Record<string, unknown>> {
  const answer = await request(`${cloud.base}/${path}`, {
    what: path.replace(/\d{5,}/g, "…"),
    ...options,
    headers: { authorization: `Bearer ${cloud.token}`, ...options.headers },
    secrets: [cloud.token],
  });
  return answer.json();
}

interface Meaning {
  code: SendErrorCode;
  message: string;
  retryAfterMs?: number;
}

/** Longest that Meta's wait for a number that wrote too much is taken as an hour; it names none. */
const HOUR = 3_600_000;

const MEANINGS: Readonly<Record<number, Meaning>> = {
  4: { code: "rate_limited", message: "the app asks too often", retryAfterMs: 60_000 },
  10: { code: "forbidden", message: "the token lacks the permission whatsapp_business_messaging" },
  200: { code: "forbidden", message: "the token lacks the permission whatsapp_business_messaging" },
  190: { code: "unauthorized", message: "the access token is wrong or has run out" },
  368: { code: "forbidden", message: "Meta has blocked the account for now, for a breach of its rules" },
  80007: { code: "rate_limited", message: "the account has reached its limit", retryAfterMs: 60_000 },
  130429: { code: "rate_limited", message: "the number sends faster than it may (80 messages a second)", retryAfterMs: 2_000 },
  130472: { code: "forbidden", message: "Meta does not deliver this message: the person is part of an experiment" },
  130497: { code: "forbidden", message: "the business may not write to people in this country" },
  131026: { code: "not_found", message: "the person cannot be reached on WhatsApp" },
  131030: { code: "forbidden", message: "a test number writes only to the numbers listed at WhatsApp → API setup" },
  131031: { code: "forbidden", message: "Meta has locked the account" },
  131042: { code: "forbidden", message: "there is a problem with the account's payment" },
  131047: {
    code: "invalid",
    message: "more than 24 hours have passed since the person wrote last: WhatsApp then takes only an approved template (setting “template”), until the person writes again",
  },
  131048: { code: "rate_limited", message: "too many of the number's messages were reported as spam", retryAfterMs: HOUR },
  131050: { code: "forbidden", message: "the person wants no such messages" },
  131056: { code: "rate_limited", message: "too many messages to one person (one every six seconds, after a burst)", retryAfterMs: 6_000 },
  132000: { code: "invalid", message: "the template's number of variables is another one: it needs exactly one in its body" },
  132001: { code: "invalid", message: "there is no approved template of that name in that language" },
  133010: { code: "forbidden", message: "the number is not registered with the Cloud API" },
};

/** What a failure means for a send. Where Meta answered with a code, nothing was sent. */
export function sendError(error: unknown): SendError {
  return sendErrorOf(error, {
    platform: "WhatsApp",
    meaning: (http) => {
      const code = graphCode(http);
      if (code === undefined) return undefined;
      const known = MEANINGS[code];
      if (known !== undefined) {
        const { retryAfterMs, ...fields } = known;
        const wait = http.retryAfterMs ?? retryAfterMs;
        return { ...fields, message: `WhatsApp: ${known.message} (${code})`, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
      }
      // Meta is unwell; nothing says whether it had the message.
      if (http.status >= 500 || code === 1 || code === 2 || code === 131_000 || code === 131_016) {
        return { code: "unreachable", message: `WhatsApp: Meta has a problem (${code})`, certain: code === 131_016 };
      }
      if (http.status === 429) return { code: "rate_limited", message: `WhatsApp: too fast (${code})`, retryAfterMs: http.retryAfterMs ?? 5_000 };
      return { code: "invalid", message: `WhatsApp: Meta refuses the message (${code})` };
    },
  });
}
