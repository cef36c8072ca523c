//! Images and documents: what the API takes, checked before anything is sent.
//!
//! The limits are the vendor's: 10 MB of base64 and 8000 pixels a side for one image, 2000 pixels a side when a request
//! has more than 20 of them; PDF and plain text for documents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imagesize::ImageType;

use crate::chat::{ContentBlock, MediaSource, Message, MessageBlock};
use crate::provider::{Category, Error};

const MAX_IMAGE_BASE64: usize = 10 * 1024 * 1024;
const MAX_SIDE: usize = 8_000;
const MANY_IMAGES: usize = 20;
const MAX_SIDE_OF_MANY: usize = 2_000;

/// Checks all images and documents of a request that were not sent before. Tool results count, too.
///
/// # Errors
/// [`Category::BadRequest`] or [`Category::PayloadTooLarge`], naming what is wrong with which.
pub(super) fn check<'a>(messages: impl Iterator<Item = &'a Message>) -> Result<(), Error> {
    let mut images = Vec::new();
    for (sent, block) in messages.flat_map(|message| message.content.iter().map(|b| (message.encoding.is_made(), b))) {
        let contents = match block {
            MessageBlock::Attachment { content } => std::slice::from_ref(content),
            MessageBlock::ToolResult(result) => result.content.as_slice(),
            _ => continue,
        };
        for content in contents {
            match content {
                ContentBlock::Image { source } => images.push((sent, source)),
                ContentBlock::Document { source, .. } if !sent => document(source)?,
                ContentBlock::Document { .. } | ContentBlock::Text { .. } | ContentBlock::Unknown => {}
            }
        }
    }
    let many = images.len() > MANY_IMAGES;
    let side = if many { MAX_SIDE_OF_MANY } else { MAX_SIDE };
    // What was good enough for few may not be for many.
    let mut unchecked = images.into_iter().enumerate().filter(|(_, (sent, _))| many || !sent);
    unchecked.try_for_each(|(at, (_, source))| image(at + 1, source, side))
}

fn bad(message: String, hint: &str) -> Error {
    Error { hint: Some(hint.to_owned()), ..Error::new(Category::BadRequest, message) }
}

fn image(number: usize, source: &MediaSource, max_side: usize) -> Result<(), Error> {
    const TYPES: &str = "send JPEG, PNG, GIF or WebP with its own media type";
    let (media_type, data) = match source {
        MediaSource::Url { .. } => return Ok(()),
        MediaSource::Text { .. } => return Err(bad(format!("image {number} is text"), TYPES)),
        MediaSource::Base64 { media_type, data } => (media_type, data),
    };
    if data.len() > MAX_IMAGE_BASE64 {
        let message = format!("image {number} has {} bytes of base64; the limit is {MAX_IMAGE_BASE64}", data.len());
        return Err(Error { hint: Some("scale it down".to_owned()), ..Error::new(Category::PayloadTooLarge, message) });
    }
    let bytes = STANDARD.decode(data.as_bytes()).map_err(|_| bad(format!("image {number} is not base64"), TYPES))?;
    let real = match imagesize::image_type(&bytes) {
        Ok(ImageType::Jpeg) => "image/jpeg",
        Ok(ImageType::Png) => "image/png",
        Ok(ImageType::Gif) => "image/gif",
        Ok(ImageType::Webp) => "image/webp",
        _ => return Err(bad(format!("image {number} is of no type that the provider takes"), TYPES)),
    };
    if real != media_type {
        return Err(bad(format!("image {number} is {real}, not {media_type}"), TYPES));
    }
    let size = imagesize::blob_size(&bytes).map_err(|_| bad(format!("image {number} is damaged"), TYPES))?;
    if size.width.max(size.height) > max_side {
        let message = format!("image {number} has {} × {} pixels; the limit is {max_side}", size.width, size.height);
        return Err(bad(message, "scale it down"));
    }
    Ok(())
}

fn document(source: &MediaSource) -> Result<(), Error> {
    match source {
        MediaSource::Url { .. } | MediaSource::Text { .. } => Ok(()),
        MediaSource::Base64 { media_type, data } => {
            const TYPES: &str = "send PDF as base64, or plain text as text";
            if media_type != "application/pdf" {
                return Err(bad(format!("a document of type {media_type} is not taken"), TYPES));
            }
            // "%PDF" in base64.
            if !data.starts_with("JVBERi") {
                return Err(bad("a document is not the PDF that it says it is".to_owned(), TYPES));
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// A PNG as far as its size is told: the signature and the header chunk.
    fn png(width: u32, height: u32) -> MediaSource {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        MediaSource::Base64 { media_type: "image/png".into(), data: Arc::from(STANDARD.encode(bytes)) }
    }

    fn checked(contents: Vec<ContentBlock>) -> Result<(), Error> {
        let content = contents.into_iter().map(|content| MessageBlock::Attachment { content }).collect();
        check([&Message::user(content)].into_iter())
    }

    fn image(source: MediaSource) -> ContentBlock {
        ContentBlock::Image { source }
    }

    #[test]
    fn sizes_have_their_limits() {
        assert_eq!(checked(vec![image(png(8_000, 10))]), Ok(()));
        assert!(checked(vec![image(png(10, 8_001))]).unwrap_err().message.contains("10 × 8001"));
        let many = |side| checked((0..21).map(|_| image(png(side, side))).collect());
        assert_eq!(many(2_000), Ok(()));
        assert!(many(2_001).is_err());
        let huge =
            MediaSource::Base64 { media_type: "image/png".into(), data: "A".repeat(MAX_IMAGE_BASE64 + 1).into() };
        assert_eq!(checked(vec![image(huge)]).unwrap_err().category, Category::PayloadTooLarge);
    }

    #[test]
    fn types_are_what_they_say() {
        let MediaSource::Base64 { data, .. } = png(1, 1) else { panic!("not base64") };
        let named =
            |media_type: &str, data: &str| MediaSource::Base64 { media_type: media_type.into(), data: data.into() };
        assert!(checked(vec![image(named("image/jpeg", &data))]).unwrap_err().message.contains("is image/png"));
        assert!(checked(vec![image(named("image/png", "AAAA"))]).is_err());
        assert!(checked(vec![image(named("image/png", "*"))]).is_err());
        let document = |source| checked(vec![ContentBlock::Document { source, title: None }]);
        assert_eq!(document(named("application/pdf", "JVBERi0xLjcK")), Ok(()));
        assert!(document(named("application/pdf", "AAAA")).is_err());
        assert!(document(named("application/msword", "JVBERi0xLjcK")).is_err());
        assert_eq!(document(MediaSource::Text { text: "plain".into() }), Ok(()));
        assert_eq!(checked(vec![image(MediaSource::Url { url: "https://example.org/a.png".into() })]), Ok(()));
    }
}
