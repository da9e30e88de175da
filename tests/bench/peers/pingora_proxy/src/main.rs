// A reverse proxy as Rust programs have it: pingora's proxy and its round robin, one thread, connections kept.
// Usage: pingora_proxy LISTEN BACKEND...; each is HOST:PORT.
use std::sync::Arc;

use async_trait::async_trait;
use pingora::prelude::*;
use pingora::server::configuration::ServerConf;

struct Backends(Arc<LoadBalancer<RoundRobin>>);

#[async_trait]
impl ProxyHttp for Backends {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _session: &mut Session, _ctx: &mut ()) -> Result<Box<HttpPeer>> {
        let backend = self.0.select(b"", 256).expect("there are backends");
        Ok(Box::new(HttpPeer::new(backend, false, String::new())))
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let listen = words.next().expect("usage: pingora_proxy LISTEN BACKEND...");
    let backends: Vec<String> = words.collect();
    let settings = ServerConf { threads: 1, upstream_keepalive_pool_size: 8192, ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, settings);
    server.bootstrap();
    let balanced = LoadBalancer::try_from_iter(&backends).expect("backends are HOST:PORT");
    let mut proxy = http_proxy_service(&server.configuration, Backends(Arc::new(balanced)));
    proxy.add_tcp(&listen);
    server.add_service(proxy);
    server.run_forever();
}
