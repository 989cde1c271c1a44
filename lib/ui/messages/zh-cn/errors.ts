export const errors = {
  notFoundTitle: '这里什么也没有',
  notFoundText: '地址可能有误，或者它所指的内容是私有的而您无权查看。请用有权限的账户登录，或按名称查找。',
  goHome: '回到首页',
  failedTitle: '无法显示此页面',
  failedText:
    '服务器端出了问题，您的数据没有任何改动。请重试；如果仍然失败，请把这个代码告诉管理员：{code}。',
};
