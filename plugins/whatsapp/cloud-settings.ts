/** Settings and secrets of the Cloud API's way in. */

import type { PluginContext } from "@kata-agents/plugin-sdk";

/** Everything a request needs. */
export interface Cloud {
  /** `https://graph.facebook.com/v25.0`. */
  base: string;
  phone: string;
  token: string;
  template: { name: string; language: string } | undefined;
}

/** What is missing. */
export interface Missing {
  field: "phoneNumberId" | "accessToken" | "appSecret" | "verifyToken";
  message: string;
}

const text = (value: unknown): string => (typeof value === "string" ? value.trim() : "");

/** A secret without the line end that came with pasting it. */
export async function secretOf(ctx: PluginContext, name: "accessToken" | "appSecret" | "verifyToken"): Promise<string | undefined> {
  return text(await ctx.secrets.get(name)) || undefined;
}

/** The number's own id; drafts carry it as their account. */
export const phoneOf = (ctx: PluginContext): string => text(ctx.config["phoneNumberId"]);

/** What sending needs. */
export async function cloudOf(ctx: PluginContext): Promise<Cloud | Missing> {
  const phone = phoneOf(ctx);
  if (!/^\d{5,20}$/.test(phone)) return { field: "phoneNumberId", message: "Set the phone number ID: the digits from WhatsApp → API setup." };
  const token = await secretOf(ctx, "accessToken");
  if (token === undefined) return { field: "accessToken", message: "Set the access token of a system user." };
  const root = text(ctx.config["apiRoot"]) || "https://graph.facebook.com";
  const name = text(ctx.config["template"]);
  return {
    base: `${root.replace(/\/+$/, "")}/${text(ctx.config["apiVersion"]) || "v25.0"}`,
    phone,
    token,
    template: name === "" ? undefined : { name, language: text(ctx.config["templateLanguage"]) || "en_US" },
  };
}

/** What receiving needs on top of it. */
export async function missing(ctx: PluginContext): Promise<Missing | undefined> {
  const cloud = await cloudOf(ctx);
  if ("field" in cloud) return cloud;
  if ((await secretOf(ctx, "appSecret")) === undefined) return { field: "appSecret", message: "Set the app secret: it proves that messages are from Meta." };
  if ((await secretOf(ctx, "verifyToken")) === undefined) return { field: "verifyToken", message: "Set a verify token of your own; Meta sends it back when you register the webhook." };
  return undefined;
}
