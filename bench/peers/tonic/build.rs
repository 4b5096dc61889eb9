//! The service, as `tonic` makes it where there is no file of `protoc`'s.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str, message: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::{message}"))
            .output_type(format!("crate::{message}"))
            .codec_path("tonic_prost::ProstCodec")
            .build()
    };
    let service = Service::builder()
        .package("work")
        .name("Work")
        .method(method("number", "Number", "Number"))
        .method(method("bytes", "Bytes", "Large"))
        .method(method("kept", "Kept", "Kept"))
        .build();
    Builder::new().compile(&[service]);
}
