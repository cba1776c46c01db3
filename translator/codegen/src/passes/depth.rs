//! Functions that are nested so deep that the optimizer would take time with the square of their size.
//!
//! For each value the optimizer looks through the loops around it and through the blocks that dominate it.

use cranelift_codegen::Context;
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::Block;

/// Blocks that a function may have without being looked at.
const FEW: usize = 256;

/// Most loops around a block. The kernel has six.
const LOOPS: usize = 64;

/// Heads of loops that may dominate a block so that the loops around it can be counted in little time.
const HEADS: u32 = 4096;

/// Most blocks that dominate a block, and that times the number of instructions. Among the guest's packages and the kernel it
/// is 189, and 1.4 million.
const BLOCKS: u32 = 1024;
const WORK: u64 = 1 << 26;

/// Needs the control flow graph and the dominator tree.
pub(super) fn is_deep(context: &mut Context) -> bool {
    let Context { func, cfg, domtree, .. } = &*context;
    if func.dfg.num_blocks() < FEW {
        return false;
    }
    // For each block the blocks that dominate it, and the heads of loops among them.
    let mut depths: SecondaryMap<Block, (u32, u32)> = SecondaryMap::new();
    let (mut blocks, mut heads) = (0, 0);
    for block in domtree.cfg_rpo() {
        let is_head = cfg.pred_iter(*block).any(|from| domtree.block_dominates(*block, from.block));
        let (depth, loops) = domtree.idom(*block).map_or((0, 0), |dominator| depths[dominator]);
        depths[*block] = (depth + 1, loops + u32::from(is_head));
        blocks = blocks.max(depth + 1);
        heads = heads.max(loops + u32::from(is_head));
    }
    if heads > HEADS || (blocks > BLOCKS && u64::from(blocks) * func.dfg.num_insts() as u64 > WORK)
    {
        return true;
    }
    if heads as usize <= LOOPS {
        return false;
    }
    context.compute_loop_analysis();
    let Context { func, loop_analysis, .. } = &*context;
    func.layout.blocks().any(|block| loop_analysis.loop_level(block).level() > LOOPS)
}
