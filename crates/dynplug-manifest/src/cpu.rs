//! What the processor of this machine can do, asked by the names that rustc has for its features.

/// Whether this machine's processor has the feature, by rustc's name (`avx2`, `sse4.2`; on aarch64 `sve`).
///
/// `None` when that can't be told: the name is unknown, stands for something else than an ability of the
/// processor (`crt-static`), or there is no way to ask on this architecture.
///
/// # Examples
///
/// ```
/// use dynplug_manifest::cpu;
///
/// # #[cfg(target_arch = "x86_64")]
/// assert_eq!(cpu::has("sse2"), Some(true));
/// assert_eq!(cpu::has("no such feature"), None);
/// ```
pub fn has(feature: &str) -> Option<bool> {
    detect(feature)
}

/// Detection takes the name as a literal, so each is asked for in an arm of its own.
#[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64"))]
macro_rules! ask {
    ($detected:ident, $feature:expr, [$($name:tt)*]) => {
        match $feature {
            $($name => Some(std::arch::$detected!($name)),)*
            _ => None,
        }
    };
}

#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
fn detect(feature: &str) -> Option<bool> {
    // Every processor that can run this has it, and there is nothing to ask.
    if feature == "x87" && cfg!(target_arch = "x86_64") {
        return Some(true);
    }
    ask!(is_x86_feature_detected, feature, [
        "adx" "aes" "avx" "avx2" "avx512bf16" "avx512bitalg" "avx512bw" "avx512cd" "avx512dq" "avx512f"
        "avx512fp16" "avx512ifma" "avx512vbmi" "avx512vbmi2" "avx512vl" "avx512vnni" "avx512vp2intersect"
        "avx512vpopcntdq" "avxifma" "avxneconvert" "avxvnni" "avxvnniint16" "avxvnniint8" "bmi1" "bmi2"
        "cmpxchg16b" "f16c" "fma" "fxsr" "gfni" "kl" "lzcnt" "movbe" "pclmulqdq" "popcnt" "rdrand" "rdseed"
        "sha" "sha512" "sm3" "sm4" "sse" "sse2" "sse3" "sse4.1" "sse4.2" "sse4a" "ssse3" "tbm" "vaes"
        "vpclmulqdq" "widekl" "xsave" "xsavec" "xsaveopt" "xsaves"
    ])
}

#[cfg(target_arch = "aarch64")]
fn detect(feature: &str) -> Option<bool> {
    ask!(is_aarch64_feature_detected, feature, [
        "aes" "bf16" "bti" "crc" "dit" "dotprod" "dpb" "dpb2" "f32mm" "f64mm" "fcma" "fhm" "flagm" "fp16"
        "frintts" "i8mm" "jsconv" "lse" "lse2" "mte" "neon" "paca" "pacg" "pmull" "rand" "rcpc" "rcpc2" "rdm"
        "sb" "sha2" "sha3" "sm4" "ssbs" "sve" "sve2" "sve2-aes" "sve2-bitperm" "sve2-sha3" "sve2-sm4" "tme"
    ])
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
fn detect(_feature: &str) -> Option<bool> {
    None
}
