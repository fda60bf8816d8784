import BasisCore
import BasisFormats
import Foundation
import Testing

@Suite struct RecordReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The records of a file with this content, as `row json`, and the messages without the path.
  private func read(
    _ content: String, _ format: SourceFormat, limit: Int = RecordSource.defaultRecordLimit
  ) throws -> (rows: [String], messages: [String]) {
    try read(Array(content.utf8), format, limit: limit)
  }

  private func read(
    _ content: [UInt8], _ format: SourceFormat, limit: Int = RecordSource.defaultRecordLimit
  ) throws -> (rows: [String], messages: [String]) {
    let path = try folder.write("in", content)
    let (records, errors) = try readAll(path, format, limit: limit)
    for record in records {
      #expect(try JSONValue(parsing: record.json) == record.fields)
    }
    return (
      records.map { "\($0.row) \($0.json)" },
      errors.map { error in
        #expect(error.message.hasPrefix(path + ":"))
        return String(error.message.dropFirst(path.count + 1))
      }
    )
  }

  // MARK: JSON lines

  @Test func `JSON lines keep their text, blank lines and the byte order mark go`() throws {
    let (rows, messages) = try read(
      "\u{FEFF}{\"b\": 1, \"a\":\"é\"}\r\n\n  \t\r\n {\"c\":null} \n{}", .jsonl)
    #expect(rows == ["1 {\"b\": 1, \"a\":\"é\"}", "4  {\"c\":null} ", "5 {}"])
    #expect(messages.isEmpty)
    #expect(try read("", .jsonl).rows.isEmpty)
    #expect(try read("\n\n", .jsonl).rows.isEmpty)
    #expect(try read("\u{FEFF}", .jsonl).rows.isEmpty)
  }

  @Test func `a bad JSON line is named and the next one is read`() throws {
    let bad = Array("{}\n{\"a\":tru}\n[1]\n \"x\"\n".utf8) + [0x7B, 0x22, 0xFF, 0x0A]
    let (rows, messages) = try read(bad + Array("{\"z\":1}\n".utf8), .jsonl)
    #expect(rows == ["1 {}", "6 {\"z\":1}"])
    #expect(
      messages == [
        "2: not a JSON object: column 9: expected true, found '}'",
        "3: not a JSON object: column 1: an array",
        "4: not a JSON object: column 2: a string",
        "5: column 3: bytes that are not UTF-8; convert the file first (iconv -t UTF-8)",
      ])
  }

  @Test func `JSON that is not in lines gets advice`() throws {
    #expect(
      try read("[\n{}]", .jsonl).messages[0]
        == "1: not a JSON object: column 2: expected a value, found the end of the text; write one "
        + "object a line, without the array around them (jq -c '.[]')")
    #expect(
      try read("[{}]", .jsonl).messages
        == [
          "1: not a JSON object: column 1: an array; write one object a line, without the array "
            + "around them (jq -c '.[]')"
        ])
    #expect(
      try read("{\r\n  \"a\": 1\n}", .jsonl).messages[0]
        == "1: not a JSON object: column 2: expected a key in quotes, found the end of the text; "
        + "write each object on one line (jq -c .)")
  }

  // MARK: CSV and TSV

  @Test func `cells may hold delimiters, quotes and line ends`() throws {
    let (rows, messages) = try read(
      "\u{FEFF}id,text,n\r\n1,\"a, \"\"b\"\"\r\nc\",2\r\n\r\n2,5\" disk,\n\"3\",\"\",\"x\"\r\n",
      .csv)
    #expect(
      rows == [
        #"2 {"id":1,"text":"a, \"b\"\r\nc","n":2}"#,
        #"5 {"id":2,"text":"5\" disk","n":null}"#,
        #"6 {"id":"3","text":"","n":"x"}"#,
      ])
    #expect(messages.isEmpty)
    #expect(try read("a\tb\nx,y\t\"p\tq\"", .tsv).rows == [#"2 {"a":"x,y","b":"p\tq"}"#])
    #expect(try read("a\tb\n \n\t\r\n", .tsv).rows == [#"3 {"a":null,"b":null}"#])
    #expect(try read("", .csv).rows.isEmpty)
    #expect(try read("a,b\n", .csv).rows.isEmpty)
    #expect(try read(",b\n0,x\n", .csv).rows == [#"2 {"column1":0,"b":"x"}"#])
  }

  @Test func `only texts that are a number's own become numbers`() throws {
    let numbers = ["0", "42", "-7", "1.5", "-0.25", "1e-05", "1e+20", "9223372036854775807"]
    let strings = [
      "007", "+1", "1e999", "1.50", "1.", ".5", "-0", " 1", "1 ", "0x10", "NaN", "inf", "-inf",
      "1_000", "-", "1e5", "9223372036854775808", "true", "null", "12.345678901234567890",
    ]
    let (rows, _) = try read("a\n" + (numbers + strings).joined(separator: "\n"), .csv)
    #expect(
      rows.map { $0.drop { $0 != "{" } }
        == numbers.map { "{\"a\":\($0)}" } + strings.map { "{\"a\":\"\($0)\"}" })
  }

  @Test func `a bad row is named with both counts and the next one is read`() throws {
    let (rows, messages) = try read("a,b\n1\n2,3,4\n\"x\"y,5\n6,7\n8,\"9\n", .csv)
    #expect(rows == [#"5 {"a":6,"b":7}"#])
    #expect(
      messages == [
        "2: has 1 fields, the header has 2; put cells that contain ',' or a line end into quotes",
        "3: has 3 fields, the header has 2; put cells that contain ',' or a line end into quotes",
        "4: column 4: text after a closing quote; write a quote inside a quoted cell twice",
        "6: the quote at column 3 is never closed; write a quote inside a quoted cell twice",
      ])
    #expect(
      try read("a\tb\n1\n", .tsv).messages
        == [
          "2: has 1 fields, the header has 2; put cells that contain a tab or a line end into "
            + "quotes"
        ])
    #expect(
      try read("a,b,a\n1,2,3\n", .csv).messages[0]
        == "1: the header names 'a' twice, as field 1 and field 3; rename one")
    #expect(try read("a,a\n1,2\n", .csv).rows.isEmpty)
    #expect(try read("a,\"b\"x\nc,d\n1,2\n", .csv).rows.isEmpty)
    #expect(
      try read(Array("a,b\nx,\"y".utf8) + [0xE9, 0x22], .csv).messages
        == [
          "2: the quoted cell at column 3 has bytes that are not UTF-8; convert the file first "
            + "(iconv -t UTF-8)"
        ])
    #expect(
      try read(Array("a,b\nx,y".utf8) + [0xE9], .csv).messages
        == ["2: column 4: bytes that are not UTF-8; convert the file first (iconv -t UTF-8)"])
  }

  // MARK: Text

  @Test func `lines of a text file are records with their place as id`() throws {
    let (rows, messages) = try read(
      Array("\u{FEFF}one\r\n\n   \ntwo \"2\"\n".utf8) + [0x61, 0xC3, 0x0A] + Array("three".utf8),
      .text)
    #expect(
      rows == [
        #"1 {"id":"in:1","text":"one"}"#, #"4 {"id":"in:4","text":"two \"2\""}"#,
        #"6 {"id":"in:6","text":"three"}"#,
      ])
    #expect(
      messages == [
        "5: column 2: bytes that are not UTF-8; convert the file first (iconv -t UTF-8)"
      ])
  }

  @Test func `files of a folder are records, what is not text is counted`() throws {
    let library = try TemporaryFolder()
    _ = try library.write("b.txt", "second\n")
    _ = try library.write("a/z.md", "\u{FEFF}first")
    _ = try library.write("a/empty", "")
    _ = try library.write(".hidden", "no")
    _ = try library.write(".git/config", "no")
    _ = try library.write("c.gz", gzipped(Array("third".utf8)))
    _ = try library.write("latin", [0x61, 0xE9])
    _ = try library.write("wide", [0xFF, 0xFE, 0x61, 0x00])
    _ = try library.write("binary", [0x00, 0x01])
    _ = try library.write("packed.xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00])
    try FileManager.default.createSymbolicLink(
      atPath: library.path + "/loop", withDestinationPath: library.path)

    for path in [library.path, library.path + "/"] {
      let source = try RecordSource(path: path)
      #expect(source.format == .text)
      var reader = try source.makeReader()
      var found: [SourceRecord] = []
      while let record = try reader.next() { found.append(record) }
      #expect(
        found.map(\.json) == [
          #"{"id":"a/empty","text":"","path":"\#(library.path)/a/empty"}"#,
          #"{"id":"a/z.md","text":"first","path":"\#(library.path)/a/z.md"}"#,
          #"{"id":"b.txt","text":"second\n","path":"\#(library.path)/b.txt"}"#,
          #"{"id":"c.gz","text":"third","path":"\#(library.path)/c.gz"}"#,
        ])
      #expect(reader.skippedFileCount == 4)
      #expect(reader.bytesRead == reader.byteCount)
    }

    let error = #expect(throws: BasisError.self) {
      try RecordSource(path: library.path, format: .csv)
    }
    #expect(error?.code == .invalidArgument)
    #expect(
      error?.message
        == "\(library.path): is a folder; a folder holds text files, give csv files by their names")
    var small = try RecordSource(path: library.path, recordLimit: 5).makeReader()
    _ = try small.next()
    let long = #expect(throws: BasisError.self) {
      while try small.next() != nil {}
    }
    #expect(
      long?.message
        == "\(library.path)/a/z.md: the record is longer than the limit of 5 bytes; split it, or "
        + "raise the limit")
  }

  // MARK: Debian

  @Test func `paragraphs become records, descriptions are taken apart`() throws {
    let (rows, messages) = try read(
      """

      # a comment
      Package: hello
      Version: 2.10
      Installed-Size: 284
      Size: 053
      Section: devel
      # another
      Empty:
      Description: example package
       The GNU hello program
       produces a greeting.
       .
       It allows:
        * nothing
        * much
       and more.
      Conffiles:
       /etc/a 1
       /etc/b 2

       \t
      Package: bare\r
      Tag: one,
       two
      Description: short
      """, .debian)
    #expect(messages.isEmpty)
    #expect(
      rows == [
        #"3 {"package":"hello","version":"2.10","installed-size":284,"size":"053","#
          + #""section":"devel","empty":null,"description":"example package","#
          + #""long-description":"The GNU hello program produces a greeting.\n\nIt allows:\n"#
          + #" * nothing\n * much\nand more.","conffiles":"/etc/a 1\n/etc/b 2"}"#,
        #"23 {"package":"bare","tag":"one,\ntwo","description":"short"}"#,
      ])
    #expect(try read("", .debian).rows.isEmpty)
    #expect(try read("\n# only this\n\n", .debian).rows.isEmpty)
  }

  @Test func `a bad paragraph is named and the next one is read`() throws {
    let (rows, messages) = try read(
      Array(
        "Package: a\nno colon here\nMore: 1\n\n indented\n\nA: 1\nB: 2\na: 3\n\n: x\n\nA: ".utf8)
        + [0x78, 0xFF] + Array("\n\nPackage: z\n".utf8), .debian)
    #expect(rows == [#"15 {"package":"z"}"#])
    #expect(
      messages == [
        "2: not a field ('Name: value'): \"no colon here\"",
        "5: a paragraph cannot start with an indented line",
        "9: the field 'a' appears twice in the paragraph of line 7",
        "11: not a field ('Name: value'): \": x\"",
        "13: column 5: bytes that are not UTF-8; convert the file first (iconv -t UTF-8)",
      ])
  }

  // MARK: Files

  @Test func `gzip is seen by its content, also in several members and with zeros after it`() throws
  {
    let lines = (0..<5000).map { "{\"n\":\($0)}\n" }
    let plain = Array(lines.joined().utf8)
    let wanted = try read(plain, .jsonl).rows
    #expect(wanted.count == 5000)
    #expect(try read(gzipped(plain), .jsonl).rows == wanted)
    let members = try stride(from: 0, to: plain.count, by: 777).flatMap {
      try gzipped(Array(plain[$0..<min($0 + 777, plain.count)]))
    }
    #expect(try read(members, .jsonl).rows == wanted)
    #expect(try read(members + [UInt8](repeating: 0, count: 100_000), .jsonl).rows == wanted)
    #expect(try read(gzipped([]), .jsonl).rows.isEmpty)

    let path = try folder.write("x.jsonl", gzipped(plain))
    var reader = try RecordSource(path: path).makeReader()
    while try reader.next() != nil {}
    #expect(try reader.bytesRead == gzipped(plain).count)
    #expect(reader.byteCount == reader.bytesRead)
  }

  @Test func `damaged gzip is an error at its byte, after the records before it`() throws {
    var generator = RandomGenerator(seed: 3)
    let lines = (0..<3000).map { _ in "{\"n\":\(generator.next() >> 1)}\n" }
    let whole = try gzipped(Array(lines.joined().utf8))
    let cut = try read(Array(whole[..<(whole.count - 9)]), .jsonl)
    #expect(
      cut.messages == [
        " byte \(whole.count - 9): the gzip data is cut off here; copy or make the file again"
      ])
    #expect(cut.rows.count == 3000)
    let half = try read(Array(whole[..<(whole.count / 2)]), .jsonl)
    #expect(half.messages.count == 1 && half.rows.count > 1000)

    var wrongSum = whole
    wrongSum[whole.count - 8] ^= 1
    #expect(
      try read(wrongSum, .jsonl).messages == [
        " byte \(whole.count - 4): damaged gzip data (incorrect data check); copy or make the file "
          + "again"
      ])
    #expect(
      try read(whole + Array("x".utf8), .jsonl).messages == [
        " byte \(whole.count): something that is not gzip follows the gzip data; cut it off or "
          + "make the file again"
      ])
    #expect(
      try read([0x1F, 0x8B], .jsonl).messages
        == [" byte 2: the gzip data is cut off here; copy or make the file again"])
  }

  @Test(arguments: SourceFormat.allCases) func `a record over the limit is an error and the end`(
    format: SourceFormat
  ) throws {
    let long = String(repeating: "x", count: 1001)
    let start =
      switch format {
      case .jsonl: "{}\n"
      case .csv, .tsv: "a\n1\n"
      case .text: "a\n"
      case .debian: "A: 1\n\n"
      case .vw: "1 |a x\n"
      }
    let (rows, messages) = try read(start + long + "\n" + start, format, limit: 1000)
    #expect(rows.count == 1)
    let row = [.jsonl, .text, .vw].contains(format) ? 2 : 3
    #expect(
      messages == [
        "\(row): the record is longer than the limit of 1000 bytes; split it, or raise the limit"
      ])
  }

  @Test func `records of many lines are limited as a whole, and gzip bombs stop early`() throws {
    let limit = "the record is longer than the limit of 1000 bytes; split it, or raise the limit"
    let cell = String(repeating: "line\n", count: 300)
    #expect(try read("a\n\"\(cell)\"\n", .csv, limit: 1000).messages == ["2: \(limit)"])
    let field = String(repeating: " line\n", count: 300)
    #expect(try read("\nA: x\n\(field)\n", .debian, limit: 1000).messages == ["2: \(limit)"])

    let bomb = try gzipped([UInt8](repeating: 0x20, count: 8 << 20))
    let path = try folder.write("bomb", bomb)
    let (records, errors) = try readAll(path, .jsonl, limit: 1 << 20)
    #expect(records.isEmpty)
    #expect(
      errors.map(\.message) == [
        "\(path):1: the record is longer than the limit of 1048576 bytes; split it, or raise the "
          + "limit"
      ])
  }

  @Test func `lines of any length around the buffers come whole`() throws {
    for length in [1, (1 << 16) - 1, 1 << 16, (1 << 17) - 2, (1 << 17) - 1, 1 << 17, 400_000] {
      let line = String(repeating: "y", count: length)
      let path = try folder.write("in", "\(line)\nab\r\n\(line)")
      let texts = try readAll(path, .text).records.map { $0.fields["text"]?.stringValue?.count }
      #expect(texts == [length, 2, length])
    }
  }

  @Test(arguments: [
    ("a.jsonl", "x", SourceFormat.jsonl), ("a.NDJSON.gz", "", .jsonl), ("a.json", "", .jsonl),
    ("a.csv", "", .csv), ("a.csv.gz", "", .csv), ("a.tsv", "", .tsv), ("a.tab", "", .tsv),
    ("a.txt", "{}", .text), ("README.md", "{}", .text), ("Packages", "", .debian),
    ("main_binary-amd64_Packages.gz", "", .debian), ("a.deb822", "", .debian),
    ("a", "", .text), ("a", " \n{\"x\":1}", .jsonl), ("a", "\u{FEFF}{\"x\":1}", .jsonl),
    ("status", "Package: a\nStatus: ok\n", .debian), ("a", "Version: 1\n long\n", .debian),
    ("a", "Note: this is prose\nand goes on", .text), ("a", "id,name\n1,x\n", .csv),
    ("a", "id\tname\n1\tx\n", .tsv), ("a", "Well, this is prose\nWell, yes\n", .text),
    ("a.dat", "one line\n", .text), ("a.vw", "1 |a b\n", .vw), ("a.vw.gz", "1 |a b\n", .vw),
  ]) func `the format is guessed from the name, then from the start`(
    name: String, content: String, format: SourceFormat
  ) throws {
    let path = try folder.write(name, content)
    #expect(try RecordSource(path: path).format == format)
    #expect(try RecordSource(path: path, format: .tsv).format == .tsv)
    let packed = try folder.write(name, gzipped(Array(content.utf8)))
    #expect(try RecordSource(path: packed).format == format)
  }

  @Test func `what is not text is refused with the remedy`() throws {
    func message(_ content: [UInt8]) throws -> String? {
      let path = try folder.write("in", content)
      return #expect(throws: BasisError.self) { try RecordSource(path: path) }?.message
        .replacing(path, with: "in")
    }
    #expect(
      try message([0x28, 0xB5, 0x2F, 0xFD, 0x00])
        == "in: is compressed by zstd, which is not read here; decompress it first (zstd -dc)")
    #expect(
      try message([0x50, 0x4B, 0x03, 0x04])
        == "in: is compressed by zip, which is not read here; decompress it first (unzip -p)")
    #expect(
      try message([0xFF, 0xFE, 0x61, 0x00])
        == "in: is UTF-16; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)")
    #expect(
      try message([0x61, 0x00])
        == "in: is not text (a zero byte at byte 1); it cannot be read as records")
    let error = #expect(throws: BasisError.self) { try RecordSource(path: "/no/such/file") }
    #expect(error?.code == .notFound)
    #expect(error?.message == "/no/such/file: no such file")
  }

  @Test func `a file can be read many times, a pipe once and without loss`() async throws {
    let path = try folder.write("in", "{\"a\":1}\n{\"a\":2}\n")
    let source = try RecordSource(path: path)
    for _ in 0..<3 {
      var reader = try source.makeReader()
      var count = 0
      while try reader.next() != nil { count += 1 }
      #expect(count == 2)
    }

    let pipe = folder.path + "/pipe"
    try #require(mkfifo(pipe, 0o600) == 0)
    let writer = Thread {
      let output = FileHandle(forWritingAtPath: pipe)
      // Byte by byte, so that the guess has to wait for more.
      for byte in Array("{\"a\":1}\n{\"a\":2}\n".utf8) { output?.write(Data([byte])) }
      try? output?.close()
    }
    writer.start()
    let once = try RecordSource(path: pipe)
    #expect(once.format == .jsonl)
    var reader = try once.makeReader()
    #expect(reader.byteCount == nil)
    #expect(try reader.next()?.json == "{\"a\":1}")
    #expect(try reader.next()?.json == "{\"a\":2}")
    #expect(try reader.next() == nil)
    #expect(reader.bytesRead == 16)
  }

  @Test func `standard input is read once`() async throws {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = try folder.write("in", "id,x\n1,2\n3\n")
      try #require(dup2(open(path, O_RDONLY), STDIN_FILENO) == STDIN_FILENO)
      let source = try RecordSource(path: "-")
      #expect(source.format == .csv)
      var reader = try source.makeReader()
      #expect(try reader.next()?.json == "{\"id\":1,\"x\":2}")
      let error = #expect(throws: BasisError.self) { try reader.next() }
      #expect(
        error?.message
          == "standard input:3: has 1 fields, the header has 2; put cells that contain ',' or a "
          + "line end into quotes")
      let again = #expect(throws: BasisError.self) { try source.makeReader() }
      #expect(
        again?.message
          == "standard input: can be read only once; save it as a file to read it again")
    }
  }

  /// The address sanitizer keeps what was freed, so memory says nothing under it.
  @Test(.enabled(if: dlsym(nil, "__asan_init") == nil))
  func `a file far larger than the memory taken is read in few megabytes`() async throws {
    await #expect(processExitsWith: .success) {
      // 300 MB of lines in concatenated members.
      let line = String(repeating: "all work and no play ", count: 500) + "\n"
      let member = try gzipped(Array(String(repeating: line, count: 100).utf8))
      let folder = try TemporaryFolder()
      let path = try folder.write("large.gz", Array((0..<300).map { _ in member }.joined()))
      var reader = try RecordSource(path: path, format: .text).makeReader()
      _ = try reader.next()
      let before = try peakMemory()
      var count = 1
      while try reader.next() != nil { count += 1 }
      #expect(count == 30_000)
      let after = try peakMemory()
      #expect(after - before < 4 << 20, "\(after - before) bytes more")
    }
  }

  // MARK: Vowpal Wabbit

  @Test func `labels, tags and namespaces of Vowpal Wabbit`() throws {
    func line(_ text: String) throws -> String? {
      try read(text + "\n", .vw).rows.first.map { String($0.dropFirst(2)) }
    }
    #expect(
      try line("1 |user u7 |item i1 i2:0.5") == #"{"label":"1","user":"u7","item":"i1 i2:0.5"}"#)
    #expect(
      try line("-1 2.5 0.1 'seven|user:3 u")
        == #"{"label":"-1","weight":"2.5","base":"0.1","tag":"seven","user":"u"}"#)
    #expect(
      try line("1 t|a x |a y | z |label w")
        == #"{"label":"1","tag":"t","a":"x y","features":"z","|label":"w"}"#)
    #expect(try line("|a") == #"{"a":""}"#)
    #expect(try line("0") == #"{"label":"0"}"#)
    let (rows, messages) = try read("1 |a b\n1 2 3 4 5 |a b\n\n0 |a c\n", .vw)
    #expect(rows.count == 2 && messages.count == 1 && messages[0].hasPrefix("2: 5 words before"))
  }

  // MARK: Damage

  @Test(arguments: SourceFormat.allCases) func `damaged input gives records or errors`(
    format: SourceFormat
  ) throws {
    let valid =
      switch format {
      case .jsonl: "{\"a\":1,\"b\":[true,null,\"x\\u00e9\"]}\n{\"c\":{\"d\":-1.5e3}}\n\n{}\r\n"
      case .csv: "a,b,c\r\n1,\"x \"\"y\"\"\nz\",\n2.5,é,007\r\n"
      case .tsv: "a\tb\n1\t\"x\ty\"\n\n2\t3\n"
      case .text: "one\n\ntwo é\r\n  three"
      case .vw: "1 2.5 'tag|a x:1 y |b é |a z\n\n-1\n0 t|c\r\n| d"
      case .debian: "Package: a\nSize: 5\nDescription: x\n y\n .\n  z\n\n# c\nA: 1\nB:\n c\n"
      }
    var generator = RandomGenerator(seed: 11)
    let alphabet = Array("{}[]:,\"\\\t\r\n #.0".utf8) + [0x00, 0xC3, 0xFF, 0xEF]
    for round in 0..<1500 {
      var bytes = mutated(Array(valid.utf8), &generator, from: alphabet)
      if round % 3 == 1 { bytes = try gzipped(bytes) }
      if round % 3 == 2 { bytes = try mutated(gzipped(bytes), &generator, from: alphabet) }
      let path = try folder.write("in", bytes)
      for guess in [format, nil] {
        do {
          let (records, errors) = try readAll(path, guess, limit: 1 << 16)
          for error in errors {
            #expect(error.message.hasPrefix("\(path):"))
            #expect([.badData, .unsupported].contains(error.code))
          }
          for record in records {
            #expect(try JSONValue(parsing: record.json) == record.fields)
            #expect(record.row >= 1)
          }
        } catch let error as BasisError {
          #expect(error.message.hasPrefix("\(path): "))
          #expect([.badData, .unsupported].contains(error.code))
        }
      }
    }
  }
}

/// The most memory that this process has held.
private func peakMemory() throws -> Int {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
  return try #require(line.split(separator: " ").compactMap { Int($0) }.first.map { $0 << 10 })
}

@Suite struct SystemSourceTests {
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/var/lib/dpkg/status")))
  func `the package list of a Debian machine is read whole`() throws {
    let path = "/var/lib/dpkg/status"
    let (records, errors) = try readAll(path)
    #expect(errors.isEmpty)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(records.count == text.split(separator: "\n").count { $0.hasPrefix("Package: ") })
    for record in records {
      #expect(record.fields["package"]?.stringValue?.isEmpty == false)
      if case .integer = record.fields["installed-size"] ?? .integer(0) { continue }
      Issue.record("installed-size of \(record.json)")
    }
  }
}
