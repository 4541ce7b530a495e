/// <reference types="vite/client" />

/** Whether this build carries the fake engine (everything but a release build). */
declare const __FAKE__: boolean;
