//! What stands on the stage when the script is done: a friendly SMSC, so that the service comes to rest.

use std::sync::Arc;

use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    Peer, Seen, Stage, SubmitResp,
    pdu::{bare, command, nack, pdu, tlv},
    stage::Shared,
};
use crate::sim::wire::SC_INTERFACE_VERSION;

/// A task of the epilogue.
enum Event {
    Connected(TcpListener, std::io::Result<tokio::net::TcpStream>),
    Ended,
}

impl Stage {
    /// Serves the connections that the script left open, and new ones, until it is told to stop.
    pub async fn friendly(mut self, stop: CancellationToken) {
        let mut tasks: JoinSet<Event> = JoinSet::new();
        let shared = Arc::clone(&self.shared);
        for left in std::mem::take(&mut *shared.left()) {
            tasks.spawn(serve(Peer::taken_over(left, Arc::clone(&shared)), Arc::clone(&shared)));
        }
        for listener in self.take_listeners() {
            tasks.spawn(accept(listener));
        }
        while let Some(Some(event)) = stop.run_until_cancelled(tasks.join_next()).await {
            if let Ok(Event::Connected(listener, stream)) = event {
                tasks.spawn(accept(listener));
                if let Ok(stream) = stream {
                    let shared = Arc::clone(&shared);
                    tasks.spawn(async move {
                        match shared.welcome(stream).await {
                            Some(peer) => serve(peer, shared).await,
                            None => Event::Ended,
                        }
                    });
                }
            }
        }
        tasks.shutdown().await;
        shared.left().clear();
    }
}

async fn accept(listener: TcpListener) -> Event {
    let accepted = listener.accept().await.map(|(stream, _)| stream);
    Event::Connected(listener, accepted)
}

async fn serve(mut peer: Peer, shared: Arc<Shared>) -> Event {
    while let Some(seen) = peer.next().await {
        let Some(answer) = answer_to(&seen, &shared) else { continue };
        if peer.send_pdu(&answer).await.is_err() || seen.command_id == command::UNBIND {
            break;
        }
    }
    peer.close();
    Event::Ended
}

fn answer_to(seen: &Seen, shared: &Shared) -> Option<Vec<u8>> {
    let (id, sequence) = (seen.command_id, seen.sequence);
    let response = id | command::RESPONSE;
    match id {
        command::BIND_RECEIVER | command::BIND_TRANSMITTER | command::BIND_TRANSCEIVER => {
            let body = [b"SIM\0".as_slice(), &tlv(SC_INTERFACE_VERSION, &[0x34])].concat();
            Some(pdu(response, 0, sequence, &body))
        }
        command::SUBMIT_SM => Some(SubmitResp::accepted(sequence, &shared.next_id().to_string()).octets()),
        command::UNBIND | command::ENQUIRE_LINK => Some(bare(response, 0, sequence)),
        id if id & command::RESPONSE != 0 => None,
        _ => Some(nack(0x03, sequence)),
    }
}
