import BasisCore

/// The functions of OpenBLAS that the room uses, found at run time in `libopenblas.so.0`.
///
/// The library is opened on first use and never linked: a machine without it still runs everything
/// but the decompositions. It exports the Fortran LAPACK itself, so nothing else is needed.
/// OpenBLAS keeps to the calling thread; `parallelFor` is what makes use of several.
///
/// `BASIS_OPENBLAS` names another library file to open instead.
struct OpenBLAS: Sendable {
  /// One argument of a Fortran routine.
  typealias Size = UnsafePointer<Int32>
  typealias Text = UnsafePointer<CChar>
  typealias Floats = UnsafeMutablePointer<Float>
  typealias Doubles = UnsafeMutablePointer<Double>
  typealias Integers = UnsafeMutablePointer<Int32>

  typealias Product =
    @Sendable @convention(c) (
      _ order: Int32, _ transA: Int32, _ transB: Int32, _ m: Int32, _ n: Int32, _ k: Int32,
      _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int32, _ b: UnsafePointer<Float>,
      _ ldb: Int32, _ beta: Float, _ c: Floats, _ ldc: Int32
    ) -> Void
  typealias SymmetricProduct =
    @Sendable @convention(c) (
      _ order: Int32, _ triangle: Int32, _ trans: Int32, _ n: Int32, _ k: Int32, _ alpha: Double,
      _ a: UnsafePointer<Double>, _ lda: Int32, _ beta: Double, _ c: Doubles, _ ldc: Int32
    ) -> Void
  typealias Factor =
    @Sendable @convention(c) (
      _ m: Size, _ n: Size, _ a: Floats, _ lda: Size, _ tau: Floats, _ work: Floats,
      _ workCount: Size, _ info: Integers
    ) -> Void
  typealias Generate =
    @Sendable @convention(c) (
      _ m: Size, _ n: Size, _ k: Size, _ a: Floats, _ lda: Size, _ tau: Floats, _ work: Floats,
      _ workCount: Size, _ info: Integers
    ) -> Void
  // Fortran passes the length of every text after the last argument.
  typealias Eigen =
    @Sendable @convention(c) (
      _ job: Text, _ triangle: Text, _ n: Size, _ a: Doubles, _ lda: Size, _ values: Doubles,
      _ work: Doubles, _ workCount: Size, _ integerWork: Integers, _ integerWorkCount: Size,
      _ info: Integers, _ jobLength: Int, _ triangleLength: Int
    ) -> Void
  typealias DividedSVD =
    @Sendable @convention(c) (
      _ job: Text, _ m: Size, _ n: Size, _ a: Floats, _ lda: Size, _ s: Floats, _ u: Floats,
      _ ldu: Size, _ vt: Floats, _ ldvt: Size, _ work: Floats, _ workCount: Size,
      _ integerWork: Integers, _ info: Integers, _ jobLength: Int
    ) -> Void
  typealias IteratedSVD =
    @Sendable @convention(c) (
      _ jobU: Text, _ jobVT: Text, _ m: Size, _ n: Size, _ a: Floats, _ lda: Size, _ s: Floats,
      _ u: Floats, _ ldu: Size, _ vt: Floats, _ ldvt: Size, _ work: Floats, _ workCount: Size,
      _ info: Integers, _ jobULength: Int, _ jobVTLength: Int
    ) -> Void
  typealias Cholesky =
    @Sendable @convention(c) (
      _ triangle: Text, _ n: Size, _ a: Floats, _ lda: Size, _ info: Integers,
      _ triangleLength: Int
    ) -> Void
  typealias DoubleCholesky =
    @Sendable @convention(c) (
      _ triangle: Text, _ n: Size, _ a: Doubles, _ lda: Size, _ info: Integers,
      _ triangleLength: Int
    ) -> Void
  typealias TriangularInverse =
    @Sendable @convention(c) (
      _ triangle: Text, _ diagonal: Text, _ n: Size, _ a: Doubles, _ lda: Size, _ info: Integers,
      _ triangleLength: Int, _ diagonalLength: Int
    ) -> Void

  let sgemm: Product
  let dsyrk: SymmetricProduct
  let sgeqrf: Factor
  let sorgqr: Generate
  let dsyevd: Eigen
  let sgesdd: DividedSVD
  let sgesvd: IteratedSVD
  let spotrf: Cholesky
  let dpotrf: DoubleCholesky
  let dtrtri: TriangularInverse
  /// The processor kind that OpenBLAS says it works for.
  let coreName: String

  /// Nil where the library is not installed.
  static let shared: OpenBLAS? = load()

  /// - Throws: `.missingDependency` with the command that installs the library.
  static func required(for operation: String) throws(BasisError) -> OpenBLAS {
    if let shared { return shared }
    throw BasisError(
      .missingDependency,
      "\(operation) needs the OpenBLAS library (libopenblas.so.0), which could not be opened; "
        + "on Debian or Ubuntu: apt-get install libopenblas0-pthread")
  }

  private static func load() -> OpenBLAS? {
    // OpenBLAS reads these when it is opened. It takes processors that it does not know, such as a
    // virtual machine's, for the oldest kind. What we set is removed again: programs that this
    // process starts must not inherit it.
    let coreType: String? =
      switch Kernels.levelName {
      case "avx512": "SKYLAKEX"
      case "avx2": "HASWELL"
      default: nil
      }
    var ours: [String] = []
    for (name, value) in [("OPENBLAS_CORETYPE", coreType), ("OPENBLAS_NUM_THREADS", "1")] {
      guard let value, environmentValue(name) == nil else { continue }
      setEnvironmentValue(name, value)
      ours.append(name)
    }
    defer { for name in ours { setEnvironmentValue(name, nil) } }

    let names =
      environmentValue("BASIS_OPENBLAS").map { [$0] } ?? ["libopenblas.so.0", "libopenblas.so"]
    for name in names {
      guard let library = DynamicLibrary(name), let table = OpenBLAS(library) else { continue }
      return table
    }
    return nil
  }

  private init?(_ library: DynamicLibrary) {
    // The types above are the signatures that the reference BLAS and LAPACK document.
    func function<F>(_ name: String, as type: F.Type) -> F? {
      library.symbol(name).map { unsafeBitCast($0, to: F.self) }
    }
    guard let sgemm = function("cblas_sgemm", as: Product.self),
      let dsyrk = function("cblas_dsyrk", as: SymmetricProduct.self),
      let sgeqrf = function("sgeqrf_", as: Factor.self),
      let sorgqr = function("sorgqr_", as: Generate.self),
      let dsyevd = function("dsyevd_", as: Eigen.self),
      let sgesdd = function("sgesdd_", as: DividedSVD.self),
      let sgesvd = function("sgesvd_", as: IteratedSVD.self),
      let spotrf = function("spotrf_", as: Cholesky.self),
      let dpotrf = function("dpotrf_", as: DoubleCholesky.self),
      let dtrtri = function("dtrtri_", as: TriangularInverse.self)
    else { return nil }
    self.sgemm = sgemm
    self.dsyrk = dsyrk
    self.sgeqrf = sgeqrf
    self.sorgqr = sorgqr
    self.dsyevd = dsyevd
    self.sgesdd = sgesdd
    self.sgesvd = sgesvd
    self.spotrf = spotrf
    self.dpotrf = dpotrf
    self.dtrtri = dtrtri

    let setThreads = function(
      "openblas_set_num_threads", as: (@convention(c) (Int32) -> Void).self)
    setThreads?(1)
    let getCoreName = function(
      "openblas_get_corename", as: (@convention(c) () -> UnsafePointer<CChar>?).self)
    coreName = getCoreName?().map { String(cString: $0) } ?? "unknown"
  }
}
