//! A block as `multipart/form-data` (RFC 7578), which is how the RPC takes it.

use bytes::Bytes;
use uuid::Uuid;

/// A form of one field.
pub(super) struct Form {
    /// With the boundary.
    pub(super) content_type: String,
    /// In one piece: its length is told, and it is sent as fast as it is taken.
    pub(super) body: Bytes,
}

impl Form {
    /// The form whose field is `data`. Nobody who makes content can know its boundary.
    pub(super) fn of(data: &[u8]) -> Self {
        let boundary = Uuid::new_v4().simple();
        let head = format!(
            "--{boundary}\r\ncontent-type: application/octet-stream\r\ncontent-disposition: form-data; name=\"data\"\r\n\r\n"
        );
        let body = [head.as_bytes(), data, format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            body: body.into(),
        }
    }
}
