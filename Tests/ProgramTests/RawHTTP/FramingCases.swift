/// Where a message ends (RFC 9112 §6 and §7). Whatever two parties could read differently must be refused: it is how
/// requests are smuggled.
extension RawHTTPTests {
  static let lengthCases: [RawCase] =
    ["02", "0002", "2 ", "\t2", "  2  "].map { RawCase("Content-Length \(shown($0)) is 2", length($0), [.accepted]) }
    + [
      "+2", "-2", "-1", "0x2", "0x10", "2x", "x2", "2.0", "2e0", "2;", "2,", ",2", "2, 2", "2, 3", "2 2", "1 1", "two",
      "２", "", " ", "\"2\"", "2\u{E00B}", "2\u{E000}", "\u{E0B2}", "18446744073709551616", "18446744073709551618",
      "99999999999999999999999999999999", "-9223372036854775808",
    ].map { RawCase("Content-Length \(shown($0))", length($0), [.malformed]) }
    + ["4294967298", "9223372036854775807", "9223372036854775808", "18446744073709551615"].map {
      RawCase("Content-Length \($0)", length($0), [.bodyTooLarge, .malformed])
    }
    + [
      RawCase("two Content-Lengths, the same", length("2", "Content-Length: 2"), [.malformed]),
      RawCase("two Content-Lengths, 2 and 3", length("2", "Content-Length: 3"), [.malformed]),
      RawCase("two Content-Lengths, 0 and 2", length("0", "Content-Length: 2"), [.malformed]),
      RawCase("two Content-Lengths, 2 and 02", length("2", "Content-Length: 02"), [.malformed]),
      RawCase("two Content-Lengths in two cases", length("2", "content-length: 3"), [.malformed]),
      RawCase("Content-Length with a space before the colon", spaced("Content-Length : 2"), [.malformed]),
      RawCase("Content-Length with a tab before the colon", spaced("Content-Length\t: 2"), [.malformed]),
      RawCase("Content-Length after an underscore", spaced("Content_Length: 2", body: ""), [.accepted]),
      RawCase("Content-Length 2 and one byte", length("2", body: "{"), [.silence], finishes: true),
      RawCase(
        "Content-Length 2 and three bytes", pipeline: length("2", body: "{}X"), [[.accepted], [.malformed, .silence]],
        finishes: true),
      RawCase(
        "Content-Length 0 and a body", pipeline: length("0", body: "{}"), [[.accepted], [.malformed, .silence]],
        finishes: true),
      RawCase("Content-Length and chunked", length("2", chunkedField, body: oneChunk), [.malformed]),
      RawCase("Content-Length and chunked, the length right", length("15", chunkedField, body: oneChunk), [.malformed]),
      RawCase("Content-Length 0 and chunked", length("0", chunkedField, body: oneChunk), [.malformed]),
      RawCase("chunked and Content-Length", coding("chunked", "Content-Length: 2"), [.malformed]),
      RawCase("chunked and a bad Content-Length", coding("chunked", "Content-Length: x"), [.malformed]),
      RawCase("Content-Length and identity", length("2", "Transfer-Encoding: identity"), [.malformed]),
      RawCase("Content-Length and xchunked", length("2", "Transfer-Encoding: xchunked"), [.malformed]),
      RawCase("Content-Length and an empty coding", length("2", "Transfer-Encoding:"), [.malformed]),
    ]

  private static func length(_ value: String, _ fields: String..., body: String = "{}") -> String {
    let all = ["Content-Type: application/json", "Content-Length: \(value)"] + fields
    return request(claims, all.joined(separator: "\r\n"), body: body)
  }

  private static func spaced(_ field: String, body: String = "{}") -> String {
    request(claims, "Content-Type: application/json", field, body: body)
  }

  static let transferCodingCases: [RawCase] =
    ["chunked", "Chunked", "CHUNKED", "chunked ", "\tchunked"].map {
      RawCase("Transfer-Encoding \(shown($0))", coding($0), [.accepted])
    }
    // The last coding is chunked, so the end of the message is clear; the other one is not ours. Harmless to read.
    // A tab at the end is optional space, which the parser does not take: a refusal that asks for nothing else.
    + ["gzip, chunked", "identity, chunked", "  chunked\t"].map {
      RawCase("Transfer-Encoding \(shown($0))", coding($0), [.malformed, .accepted, .badMedia, .badBody], .either)
    }
    + [
      "gzip", "deflate", "identity", "xchunked", "chunkedx", "chunke", "x", "\"chunked\"", "chunked;q=1", "chunked; x",
      "chunked, chunked", "chunked,chunked", "chunked, gzip", "chunked, identity", "chunked x", "chun ked",
      "chunked\u{E000}", "\u{E00B}chunked", "chunked\u{E00B}", "chunked\u{E0A0}", "ｃhunked",
    ].map { RawCase("Transfer-Encoding \(shown($0))", coding($0), [.malformed]) }
    // RFC 9110 §5.6.1: a recipient reads past empty list elements.
    + ["chunked,", ", chunked"].map {
      RawCase("Transfer-Encoding \(shown($0))", coding($0), [.malformed, .accepted])
    }
    + [
      RawCase("an empty Transfer-Encoding", coding("", body: ""), [.malformed, .accepted]),
      RawCase("two fields: chunked, chunked", coding("chunked", chunkedField), [.malformed]),
      RawCase("two fields: chunked, identity", coding("chunked", "Transfer-Encoding: identity"), [.malformed]),
      RawCase("two fields: identity, chunked", coding("identity", chunkedField), [.malformed]),
      RawCase("two fields: x, chunked", coding("x", chunkedField), [.malformed]),
      RawCase(
        "Transfer-Encoding with a space before the colon", codingField("Transfer-Encoding : chunked"), [.malformed]),
      RawCase("Transfer-Encoding after a space", codingField(" Transfer-Encoding: chunked"), [.malformed]),
      RawCase("Transfer-Encoding without a colon", codingField("Transfer-Encoding chunked"), [.malformed]),
      RawCase("Transfer-Encoding on a folded line", codingField("Transfer-Encoding:\r\n chunked"), [.malformed]),
      RawCase("Transfer-Encoding after a bare CR", codingField("X: y\rTransfer-Encoding: chunked"), [.malformed]),
      RawCase(
        "Transfer-Encoding after a bare LF", codingField("X: y\nTransfer-Encoding: chunked"), [.malformed, .accepted]),
      // Another field, which is ignored: what looks like a body is the next request, and is none.
      RawCase(
        "Transfer_Encoding", pipeline: request(claims, "Transfer_Encoding: chunked", body: oneChunk),
        [[.accepted], [.malformed]], .closed),
      // RFC 9112 §6.1: framing of such a message is faulty; it may be read, but the connection ends.
      RawCase(
        "chunked in HTTP/1.0", request(claims, version: "HTTP/1.0", jsonType, chunkedField, body: oneChunk),
        [.malformed, .accepted], .closed),
      RawCase(
        "chunked in HTTP/1.0, kept alive",
        request(claims, version: "HTTP/1.0", jsonType, chunkedField, "Connection: keep-alive", body: oneChunk),
        [.malformed, .accepted], .closed),
    ]

  private static let jsonType = "Content-Type: application/json"

  private static func coding(_ value: String, _ fields: String..., body: String = oneChunk) -> String {
    request(claims, ([jsonType, "Transfer-Encoding: \(value)"] + fields).joined(separator: "\r\n"), body: body)
  }

  private static func codingField(_ field: String) -> String { request(claims, jsonType, field, body: oneChunk) }

  static let chunkCases: [RawCase] = goodChunks + badChunks + brokenChunks

  private static let goodChunks: [RawCase] = [
    RawCase("one chunk", chunked(oneChunk), [.accepted]),
    RawCase("two chunks", chunked("1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), [.accepted]),
    RawCase("a size with zeros before", chunked("00000002\r\n{}\r\n0\r\n\r\n"), [.accepted]),
    RawCase("a last chunk of 000", chunked("2\r\n{}\r\n000\r\n\r\n"), [.accepted]),
    RawCase("a size in small hexadecimal", chunked("a\r\n{\"a\": 123}\r\n0\r\n\r\n"), [.accepted]),
    RawCase("a size in capital hexadecimal", chunked("A\r\n{\"a\": 123}\r\n0\r\n\r\n"), [.accepted]),
    RawCase("a chunk extension", chunked("2;a\r\n{}\r\n0\r\n\r\n"), [.accepted]),
    RawCase("a chunk extension with a value", chunked("2;a=b\r\n{}\r\n0\r\n\r\n"), [.accepted]),
    RawCase("a quoted chunk extension", chunked("2;a=\"b c\"\r\n{}\r\n0\r\n\r\n"), [.accepted]),
    RawCase("an extension of the last chunk", chunked("2\r\n{}\r\n0;a=b\r\n\r\n"), [.accepted]),
    RawCase("a trailer", chunked("2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n"), [.accepted]),
    // A trailer must not be taken for a header: whose seat it is, is checked.
    RawCase("a trailer with another user", chunked("2\r\n{}\r\n0\r\nX-User-Id: other\r\n\r\n"), [.accepted]),
    RawCase("a trailer with a length", chunked("2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"), [.accepted, .malformed]),
    RawCase(
      "a trailer with a coding", chunked("2\r\n{}\r\n0\r\nTransfer-Encoding: x\r\n\r\n"), [.accepted, .malformed]),
    RawCase("a trailer with a host", chunked("2\r\n{}\r\n0\r\nHost: other\r\n\r\n"), [.accepted, .malformed]),
    RawCase("a size with 1,000 zeros before", chunked(zeros(1_000) + "2\r\n{}\r\n0\r\n\r\n"), [.accepted, .malformed]),
    // Spaces there are "bad white space" in older documents, and clear to everybody.
    RawCase("a size with a space after it", chunked("2 \r\n{}\r\n0\r\n\r\n"), [.malformed, .accepted]),
    RawCase("an empty chunk extension", chunked("2;\r\n{}\r\n0\r\n\r\n"), [.malformed, .accepted]),
    RawCase(
      "a chunk extension of 10,000 bytes", chunked("2;a=\(zeros(10_000))\r\n{}\r\n0\r\n\r\n"),
      [.accepted, .malformed, .bodyTooLarge, .headerTooLarge]),
    RawCase(
      "100 trailers", chunked("2\r\n{}\r\n0\r\n\(String(repeating: "X: y\r\n", count: 100))\r\n"),
      [.malformed, .headerTooLarge]),
    RawCase(
      "a trailer of 100,000 bytes", chunked("2\r\n{}\r\n0\r\nX: \(zeros(100_000))\r\n\r\n"),
      [.malformed, .headerTooLarge]),
  ]

  private static func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }

  private static let badChunks: [RawCase] = [
    "g", "x2", "0x2", "2x", "-2", "-0", "+2", " 2", "\t2", "2,", "2=", "2 2", "2.0", "", " ", ";a", "２", "\u{E000}2",
    "2\u{E000}", "2\r", "\r2", "2\n", "10000000000000002", "FFFFFFFFFFFFFFFFF", "1FFFFFFFFFFFFFFFE", "2;a\n",
    "2;\u{E000}",
  ].map { RawCase("a chunk size of \(shown($0))", chunked("\($0)\r\n{}\r\n0\r\n\r\n"), [.malformed]) }

  // NIO tells nothing of a chunk before its bytes are there: that it would be too large shows only with them.
  private static let brokenChunks: [RawCase] = [
    RawCase(
      "a chunk of 2^63-1 bytes", chunked("7FFFFFFFFFFFFFFF\r\n{}"), [.malformed, .bodyTooLarge, .silence],
      finishes: true),
    RawCase(
      "a chunk of 2^64-1 bytes", chunked("FFFFFFFFFFFFFFFF\r\n{}"), [.malformed, .bodyTooLarge, .silence],
      finishes: true),
    RawCase(
      "a chunk of 2^32+2 bytes", chunked("100000002\r\n{}\r\n0\r\n\r\n"), [.malformed, .bodyTooLarge, .silence],
      finishes: true),
    RawCase("a chunk without CRLF after it", chunked("2\r\n{}0\r\n\r\n"), [.malformed]),
    RawCase("a chunk with LF after it", chunked("2\r\n{}\n0\r\n\r\n"), [.malformed]),
    RawCase("a chunk with CR after it", chunked("2\r\n{}\r0\r\n\r\n"), [.malformed]),
    RawCase("a chunk with two bytes more", chunked("2\r\n{}xx\r\n0\r\n\r\n"), [.malformed]),
    RawCase("a chunk longer than said", chunked("1\r\n{}\r\n0\r\n\r\n"), [.malformed]),
    RawCase("a chunk shorter than said", chunked("3\r\n{}\r\n0\r\n\r\n"), [.malformed]),
    RawCase("a size that ends with LF", chunked("2\n{}\r\n0\r\n\r\n"), [.malformed]),
    RawCase("a size that ends with CR", chunked("2\r{}\r\n0\r\n\r\n"), [.malformed]),
    RawCase("a last chunk that ends with LF", chunked("2\r\n{}\r\n0\n\r\n"), [.malformed]),
    RawCase("an end that is LF", chunked("2\r\n{}\r\n0\r\n\n"), [.malformed]),
    RawCase("an end that is CR and x", chunked("2\r\n{}\r\n0\r\n\rx"), [.malformed]),
    RawCase("a trailer without a colon", chunked("2\r\n{}\r\n0\r\nX\r\n\r\n"), [.malformed]),
    RawCase("a trailer with a bad name", chunked("2\r\n{}\r\n0\r\nX Y: 1\r\n\r\n"), [.malformed]),
    RawCase("a trailer with a NUL", chunked("2\r\n{}\r\n0\r\nX: \u{E000}\r\n\r\n"), [.malformed]),
    RawCase("no last chunk", chunked("2\r\n{}\r\n"), [.silence], finishes: true),
    RawCase("no CRLF after the last chunk", chunked("2\r\n{}\r\n0\r\n"), [.silence], finishes: true),
    RawCase("half a chunk", chunked("2\r\n{"), [.silence], finishes: true),
    RawCase("no chunk at all", chunked(""), [.silence], finishes: true),
    RawCase("half a size", chunked("2"), [.silence], finishes: true),
  ]
}
