"""Draws of libstdc++ from its Mersenne Twisters, by a C++ program that this script compiles.

Writes Tests/BasisNumericsTests/Fixtures/mersenne_twister.json. Run from the repository's root:
    python3 Scripts/oracles/mersenne_twister.py
Needs g++ 12 (its library's draws are the same from GCC 11 on) and glibc's logarithm.

Floating-point numbers are written as their bits. Compiled without contraction of products.
"""

import json
import subprocess
import tempfile
from pathlib import Path

version = subprocess.run(["g++", "-dumpversion"], capture_output=True, text=True, check=True)
assert version.stdout.strip() == "12", version.stdout

PROGRAM = r"""
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

template <class Bits, class Value> unsigned long long bits(Value value) {
  Bits result;
  std::memcpy(&result, &value, sizeof value);
  return result;
}

template <class Draw> void list(const char *name, int count, Draw draw, const char *end = ",\n") {
  std::printf("  \"%s\": [", name);
  for (int i = 0; i < count; i++) std::printf(i ? ",%s" : "%s", draw().c_str());
  std::printf("]%s", end);
}

std::string text(unsigned long long value) { return std::to_string(value); }
std::string text(long long value) { return std::to_string(value); }

template <class Engine> void engine(const char *name, unsigned long long seed, const char *end) {
  std::printf("{\"engine\": \"%s\", \"seed\": %llu,\n", name, seed);
  Engine words(seed);
  list("words", 4, [&] { return text((unsigned long long)words()); });
  // Beyond the first twist.
  words.discard(1000);
  list("later", 2, [&] { return text((unsigned long long)words()); });

  Engine fractions(seed);
  list("doubles", 8, [&] {
    return text(bits<uint64_t>(std::generate_canonical<double, 53>(fractions)));
  });
  list("floats", 8, [&] {
    return text(bits<uint32_t>(std::generate_canonical<float, 24>(fractions)));
  });

  std::printf("  \"integers\": [\n");
  const long long ranges[][2] = {
      {0, 0}, {0, 1}, {-5, 5}, {0, 9}, {1, 1000000007}, {0, 3000000000}, {0, 4294967294},
      {0, 4294967295}, {0, 4294967296}, {-1, 6442450942}, {0, 6917529027641081855},
      {INT64_MIN, 0}, {INT64_MIN, INT64_MAX}};
  int left = sizeof ranges / sizeof ranges[0];
  for (auto range : ranges) {
    Engine integers(seed);
    std::uniform_int_distribution<long long> draw(range[0], range[1]);
    std::printf("  {\"first\": %lld, \"last\": %lld,\n", range[0], range[1]);
    list("draws", 24, [&] { return text((long long)draw(integers)); });
    const char *end = --left ? "},\n" : "}],\n";
    list("next", 1, [&] { return text((unsigned long long)integers()); }, end);
  }

  Engine normals(seed);
  std::normal_distribution<double> normal;
  list("normals", 15, [&] { return text(bits<uint64_t>(normal(normals))); });
  std::normal_distribution<double> scaled(-2.5, 0.75);
  list("scaled", 5, [&] { return text(bits<uint64_t>(scaled(normals))); });
  std::normal_distribution<float> small;
  list("floatNormals", 15, [&] { return text(bits<uint32_t>(small(normals))); });
  list("after", 1, [&] { return text((unsigned long long)normals()); }, end);
}

int main() {
  std::printf("[");
  engine<std::mt19937>("mt19937", 5489, "},\n");
  engine<std::mt19937>("mt19937", 42, "},\n");
  engine<std::mt19937>("mt19937", 4294967295u, "},\n");
  engine<std::mt19937_64>("mt19937_64", 5489, "},\n");
  engine<std::mt19937_64>("mt19937_64", 42, "},\n");
  engine<std::mt19937_64>("mt19937_64", 18446744073709551615u, "}]\n");
}
"""

with tempfile.TemporaryDirectory() as folder:
    source = Path(folder) / "draws.cpp"
    source.write_text(PROGRAM)
    program = Path(folder) / "draws"
    subprocess.run(
        ["g++", "-O1", "-std=c++17", "-ffp-contract=off", source, "-o", program], check=True
    )
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout

fixture = {"source": "libstdc++ of g++ 12, glibc", "tolerance": "none", "cases": json.loads(output)}
path = Path("Tests/BasisNumericsTests/Fixtures/mersenne_twister.json")
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes")
