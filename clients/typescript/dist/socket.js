/** The WebSocket of this runtime. */
export function socketOfRuntime() {
    const found = globalThis.WebSocket;
    if (typeof found !== "function") {
        throw new Error("this runtime has no WebSocket: give one as the option `WebSocket`, e.g. that of the package “ws” before Node 22");
    }
    return found;
}
