/** Devices of the gateway: one that is here, one whose time is over, and offers. */
import type { Device, GatewayState } from "@/generated/protocol";
import { OperationError } from "../types";
import { daysAgo, hoursAgo } from "./clock";
import type { Table } from "./operations";
import type { FakeOptions } from "./world";

const CODE = "7K3QZ-M9XWB";

export const DEVICES: readonly Device[] = [
  { id: "dev_4f1c09a2b7d35e8860aa11cc", name: "Mara’s phone", scope: "approve", keyed: true, pairedAt: daysAgo(12), seenAt: hoursAgo(0.02), expiresAt: null, connected: true },
  { id: "dev_09ab77c1d2e3f4a5b6c7d8e9", name: "Kitchen tablet", scope: "read", keyed: true, pairedAt: daysAgo(40), seenAt: daysAgo(9), expiresAt: daysAgo(1), connected: false },
];

const state = (devices: readonly Device[]): GatewayState => ({
  port: 18790,
  urls: ["http://127.0.0.1:18790", "https://acme-box.tail1234.ts.net"],
  hosts: ["acme-box.tail1234.ts.net"],
  clients: [
    { name: "cli", token: "local", device: null, scope: "admin", since: hoursAgo(0.01), acked: 0, plugins: [] },
    ...devices.filter((each) => each.connected).map((each) => ({ name: each.name, token: each.name, device: each.id, scope: each.scope, since: hoursAgo(2), acked: 4_182, plugins: [] })),
  ],
  lockedOutFor: null,
});

/** By world, so that two windows of a test do not share them. */
const kept = new WeakMap<object, Device[]>();
const of = (world: object): Device[] => kept.get(world) ?? ("options" in world && (world.options as FakeOptions).empty === true ? [] : [...DEVICES]);

export const DEVICE_OPERATIONS = {
  "gateway.state": (world) => state(of(world)),
  "device.list": (world) => of(world),
  "device.pair": (_, { name }) => {
    if (name.trim() === "") throw new OperationError({ code: "invalid", message: "“name”: 1 to 64 characters that can be read", hint: "such as “Anna's phone”" });
    return { code: CODE, url: `https://acme-box.tail1234.ts.net/#/pair/${CODE.replace("-", "")}`, reach: "acme-box.tail1234.ts.net", expiresAt: Date.now() + 600_000 };
  },
  "device.revoke": (world, { id }) => {
    kept.set(world, of(world).filter((each) => each.id !== id));
    world.publish({ topic: "devices_changed" });
    return {};
  },
} satisfies Partial<Table>;

/** Somebody showed the code. */
export function arrive(world: { publish(fact: { topic: "devices_changed" }): void }, name: string): void {
  const device: Device = { id: `dev_${name.length}0ab77c1d2e3f4a5b6c7d8e9`, name, scope: "approve", keyed: true, pairedAt: Date.now(), seenAt: Date.now(), expiresAt: null, connected: true };
  kept.set(world, [...of(world), device]);
  world.publish({ topic: "devices_changed" });
}
