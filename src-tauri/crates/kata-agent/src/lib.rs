//! Floor 2: models over HTTP and the scripted demo.
